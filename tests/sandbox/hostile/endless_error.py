# Standard error without end, past Python's own stream.
import os

while True:
    os.write(2, b"y" * 65_536)
