# Waits without end, and uses no processor time.
import time

time.sleep(1_000_000)
