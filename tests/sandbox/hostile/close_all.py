# Every descriptor closed, then work as if nothing had been.
import os

os.closerange(0, 65_536)
while True:
    pass
