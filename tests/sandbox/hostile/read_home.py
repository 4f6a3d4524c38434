# The home folder, the project, and a file that lies there as a bait.
import os

for top in ("@HOME@", "@PROJECT@", "/home", "/work", "/var", "/mnt", "/srv", "/run"):
    for folder, _, names in os.walk(top):
        for name in names:
            if name == "@BAIT@":
                print("found", folder, name)
try:
    with open("@PATH@") as file:
        print("read", file.read())
except OSError:
    pass
