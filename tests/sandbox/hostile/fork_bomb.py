# Processes until none can be made, each of which never ends.
import os
import time

while True:
    try:
        if os.fork() == 0:
            while True:
                time.sleep(1)
    except OSError:
        time.sleep(0.01)
