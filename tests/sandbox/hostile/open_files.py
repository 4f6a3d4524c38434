# Descriptors and pipes until there are no more, each pipe full.
import os

pipes = []
try:
    while True:
        pipe = os.pipe()
        os.set_blocking(pipe[1], False)
        os.write(pipe[1], b"x" * 65_536)
        pipes.append(pipe)
except OSError as error:
    print(error.errno, len(pipes))
