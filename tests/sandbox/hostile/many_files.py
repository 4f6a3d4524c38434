# Files until there is no room for another.
made = 0
try:
    while True:
        open(f"file{made}", "w").close()
        made += 1
except OSError as error:
    print(error.errno, made)
