"""Which requests living processes have under way, so that two runs at once share the work.

Each process has a file of slots of 16 bytes, mapped and shared: the keys of what it is paying for
now. Its lock says that its writer lives; the file of one that died is removed by whoever meets it.
A key is written first and looked for afterwards, so of two who want it at once at least one sees
the other, and gives way. On a file system that does not share mapped pages, such as NFS, others'
keys are seen late or never, and such a request may be paid for twice: nothing worse.
"""

from __future__ import annotations

import mmap
import os
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

from .keys import KEY_BYTES
from .layout import lock, make_folder, new_name

SLOTS = 4096
"""Requests that one process may have under way; more are sent unclaimed."""
SIZE = SLOTS * KEY_BYTES
LINGER_SECONDS = 2.0
"""How long others see a key that was given back: longer than they take to see what was committed,
so that there is no moment at which they see neither."""
LOOK_SECONDS = 0.25
"""How often it is asked whether others have died; who begins changes the folder."""
_TICK = 50_000_000
"""Nanoseconds that a file system's clock may stand still."""
_FREE = bytes(KEY_BYTES)


class Claims:
    """The claims of this process, and a view of all others'. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "claims"
        self._guard = threading.Lock()
        self._fd = -1
        self._own: mmap.mmap | None = None
        self._path = Path()
        self._slots: dict[bytes, int] = {}
        self._free: list[int] = []
        self._done: deque[tuple[float, bytes]] = deque()
        self._others: dict[str, mmap.mmap] = {}
        self.changes = 0
        """How often others have begun or ended, and may have left what is not seen yet."""
        self._changed, self._next_look = 0, 0.0

    def take(self, key: bytes) -> bool:
        """Claim a key; False if another living process has it. Raises `OSError`."""
        with self._guard:
            own = self._own or self._begin()
            self._look()
            self._tidy(own)
            if key in self._slots:  # of a try before
                self._done = deque(d for d in self._done if d[1] != key)
                return True
            if self._elsewhere(key):
                return False
            if not self._free:
                return True
            slot = self._free.pop()
            own[slot : slot + KEY_BYTES] = key
            self._look()  # whoever has begun since the last look may not have seen this key
            if self._elsewhere(key):  # both at once: both give way, and try again at another time
                self._give(own, slot)
                return False
            self._slots[key] = slot
            return True

    @property
    def shared(self) -> bool:
        """Whether another living process claims anything."""
        return bool(self._others)

    def give_back(self, key: bytes) -> None:
        """Claim a key no longer, if it was claimed: in a while."""
        with self._guard:
            if key in self._slots:
                self._done.append((time.monotonic() + LINGER_SECONDS, key))

    def close(self) -> None:
        """Claim nothing any more."""
        with self._guard:
            for other in self._others.values():
                other.close()
            self._others.clear()
            if self._own is not None:
                self._path.unlink(missing_ok=True)
                self._own.close()
                os.close(self._fd)
                self._own = None

    def _tidy(self, own: mmap.mmap) -> None:
        """Free the slots of keys that were given back a while ago, or as many as are needed."""
        now = time.monotonic()
        while self._done and (self._done[0][0] <= now or not self._free):
            slot = self._slots.pop(self._done.popleft()[1], None)
            if slot is not None:  # else it was given back twice
                self._give(own, slot)

    def _give(self, own: mmap.mmap, slot: int) -> None:
        own[slot : slot + KEY_BYTES] = _FREE
        self._free.append(slot)

    def _begin(self) -> mmap.mmap:
        make_folder(self._folder)
        self._path = self._folder / new_name()
        # It gets its name after its lock, so that nobody takes it for that of a dead process.
        draft = self._path.with_suffix(".tmp")
        self._fd = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            lock(self._fd)
            os.ftruncate(self._fd, SIZE)
            own = mmap.mmap(self._fd, SIZE)
            draft.rename(self._path)
        except BaseException:
            os.close(self._fd)
            draft.unlink(missing_ok=True)
            raise
        self._own = own
        self._free = list(range(0, SIZE, KEY_BYTES))
        return own

    def _elsewhere(self, key: bytes) -> bool:
        return any(other.find(key) >= 0 for other in self._others.values())

    def _look(self) -> None:
        """Map the files of those who have begun, and forget those who have ended."""
        with suppress(OSError):
            changed = self._folder.stat().st_mtime_ns
            # A change right after the last look may bear the same time.
            quiet = changed == self._changed and time.time_ns() - changed > _TICK
            if quiet and time.monotonic() < self._next_look:
                return
            self.changes += changed != self._changed
            self._changed, self._next_look = changed, time.monotonic() + LOOK_SECONDS
            names = (p.name for p in self._folder.iterdir() if not p.suffix)
            living = {n for n in names if n != self._path.name}
            for name in living:
                self._meet(name)
            gone = [n for n in self._others if n not in living or self._is_dead(n)]
            for name in gone:
                self._others.pop(name).close()
            self.changes += bool(gone)  # a second change within a tick shows in no time

    def _meet(self, name: str) -> None:
        if name in self._others:
            return
        with suppress(OSError, ValueError):
            fd = os.open(self._folder / name, os.O_RDONLY)
            try:
                if lock(fd):  # its process has died
                    (self._folder / name).unlink(missing_ok=True)
                else:
                    self._others[name] = mmap.mmap(fd, SIZE, access=mmap.ACCESS_READ)
            finally:
                os.close(fd)

    def _is_dead(self, name: str) -> bool:
        try:
            fd = os.open(self._folder / name, os.O_RDONLY)
        except FileNotFoundError:
            return True
        try:
            if lock(fd):
                (self._folder / name).unlink(missing_ok=True)
                return True
            return False
        finally:
            os.close(fd)
