# Bytes until there is no room for another, in several files.
import os

written = 0
for number in range(100):
    try:
        with open(f"big{number}", "wb", buffering=0) as file:
            while True:
                written += file.write(b"x" * 1_000_000)
    except OSError:
        pass
print(written, os.statvfs(".").f_bavail)
