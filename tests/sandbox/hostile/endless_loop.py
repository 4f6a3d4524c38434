# Work without end.
while True:
    pass
