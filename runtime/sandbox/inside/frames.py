"""Messages over pipes: a length, then JSON."""

from __future__ import annotations

import json
import os
import struct
from typing import Any

LENGTH = struct.Struct("<I")


def send(fd: int, message: Any) -> None:
    """Write a message whole. Raises `OSError`."""
    data = json.dumps(message).encode()
    write_all(fd, LENGTH.pack(len(data)) + data)


def receive(fd: int) -> Any:
    """The next message. Raises `EOFError` when the other side is gone, `OSError`."""
    (size,) = LENGTH.unpack(read_all(fd, LENGTH.size))
    return json.loads(read_all(fd, size))


def write_all(fd: int, data: bytes) -> None:
    """Write all of it. Raises `OSError`."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def read_all(fd: int, size: int) -> bytes:
    """Exactly so many bytes. Raises `EOFError`, `OSError`."""
    parts = bytearray()
    while len(parts) < size:
        part = os.read(fd, size - len(parts))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)
