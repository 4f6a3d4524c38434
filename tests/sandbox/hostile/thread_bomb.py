# Threads until none can be made.
import threading
import time

while True:
    try:
        threading.Thread(target=time.sleep, args=(60,)).start()
    except (RuntimeError, MemoryError):
        time.sleep(0.01)
