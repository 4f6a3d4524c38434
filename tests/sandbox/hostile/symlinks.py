# Ways out of its folder by links, renames and its own root.
import os

os.symlink("@PATH@", "out")
os.symlink("/", "root")
os.symlink("loop", "loop")
for path in ("out", "root@PATH@", "loop", "../../../..@PATH@"):
    try:
        with open(path, "a") as file:
            file.write("was here")
        print("wrote", path)
    except OSError:
        pass
try:
    os.chroot(".")
    print("new root")
except OSError:
    pass
try:
    os.link("/usr/bin/env", "env")
    print("linked")
except OSError:
    pass
