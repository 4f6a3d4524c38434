# Files of the machine that say who uses it.
for path in ("/etc/passwd", "/etc/shadow", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf"):
    try:
        with open(path) as file:
            print("read", path, file.read(100))
    except OSError:
        pass
