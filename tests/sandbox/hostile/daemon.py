# Leaves a process behind that would outlive it: a session of its own, two forks away.
import os
import time

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for fd in range(3):
            os.close(fd)
        time.sleep(1_000_000)
    os._exit(0)
os.wait()
print("gone")
