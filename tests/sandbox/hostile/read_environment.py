# Secrets that the parent was started with.
import os

print({k: v for k, v in os.environ.items() if "@SECRET@" in v})
for pid in ("self", "1", "2", "3", "4"):
    try:
        with open(f"/proc/{pid}/environ") as file:
            print(file.read())
    except OSError:
        pass
