# More memory than there may be, in one process.
kept = []
while True:
    kept.append(bytearray(10_000_000))
