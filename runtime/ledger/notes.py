"""What a run used: the keys of its completions, noted as it goes.

`ledger gc` keeps what a run has noted and `ledger export` takes it along. The file holds keys of 16
bytes in any order, some more than once; 16 zero bytes end it, which a killed run does not write.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from .keys import KEY_BYTES

NOTES = "completions.keys"
"""The name of the file in the folder of a run."""

_END = bytes(KEY_BYTES)
_FLUSH = 1 << 16


class Notes:
    """Notes under way. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._waiting = bytearray()
        self._guard = threading.Lock()

    def add(self, key: bytes) -> None:
        """Note a key, some time later on disk; a full disk is tried again."""
        with self._guard:
            self._waiting += key
            full = len(self._waiting) >= _FLUSH
        if full:
            with suppress(OSError):
                self.flush()

    def flush(self) -> None:
        """Hand to the system what waits. Raises `OSError`."""
        with self._guard:
            while self._waiting:
                written = self._file.write(self._waiting)
                del self._waiting[:written]

    def close(self) -> None:
        """End the notes; if the disk is full, they stay without an end."""
        with suppress(OSError):
            self.add(_END)
            self.flush()
            os.fsync(self._file.fileno())
        self._file.close()


def noted(path: Path) -> Iterator[bytes]:
    """The keys of a file of notes, a torn one at its end left out. Raises `OSError`."""
    with path.open("rb") as file:
        while part := file.read(KEY_BYTES << 12):
            for at in range(0, len(part) - KEY_BYTES + 1, KEY_BYTES):
                if (key := part[at : at + KEY_BYTES]) != _END:
                    yield key


def ended(path: Path) -> bool:
    """Whether notes were closed, so that they are whole."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - KEY_BYTES))
            return size % KEY_BYTES == 0 and file.read() == _END
    except OSError:
        return False
