# The machine's own loopback, where somebody listens, and a name server.
import socket

for family, address in (
    (socket.AF_INET, ("127.0.0.1", int("@PORT@"))),
    (socket.AF_INET, ("192.0.2.1", 80)),
    (socket.AF_INET6, ("::1", int("@PORT@"))),
):
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(0.2)
        try:
            client.connect(address)
            print("connected", address)
        except OSError:
            pass
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
    try:
        client.sendto(b"hello", ("127.0.0.1", int("@PORT@")))
    except OSError:
        pass
try:
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)
    print("netlink")
except OSError:
    pass
