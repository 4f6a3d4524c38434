# Memory that belongs to no process: memfd, and the segments of System V.
import ctypes
import os

libc = ctypes.CDLL(None)
for _ in range(100):
    try:
        fd = os.memfd_create("hoard")
        os.write(fd, b"x" * 10_000_000)
        print("hoarded")
    except OSError:
        pass
    if libc.shmget(0, 10_000_000, 0o1600) >= 0:
        print("hoarded")
