# Things for the next program to find.
import os

for path in ("/tmp/left", "/dev/shm/left", "left"):
    try:
        with open(path, "w") as file:
            file.write("from the last one")
    except OSError:
        pass
os.environ["LEFT"] = "yes"
os.umask(0)
__import__("builtins").LEFT = "yes"
__import__("math").pi = 3
