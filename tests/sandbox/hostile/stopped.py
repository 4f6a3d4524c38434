# Stops itself and its child, so that neither can end.
import os
import signal

if os.fork() == 0:
    os.kill(os.getpid(), signal.SIGSTOP)
os.kill(os.getpid(), signal.SIGSTOP)
while True:
    signal.pause()
