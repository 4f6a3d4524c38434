"""Segments: the files that hold the records, each written by one process.

A segment is never edited by anyone but its writer. A killed writer's torn tail stays where it is:
the index run that seals the segment states where the good bytes end.
"""

from __future__ import annotations

import os
import struct
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .framing import Gap, Head, Packed, body_is_good, frame, read_head, scan
from .layout import LedgerError, lock, make_folder, new_name, segment_path, sync_folder

VERSION = 1
_MAGIC = b"MBLEDGER"


def header_of(version: int) -> bytes:
    """The first 16 bytes of a segment: magic, version of the format, checksum of the two."""
    head = _MAGIC + struct.pack("<I", version)
    return head + struct.pack("<I", zlib.crc32(head))


HEADER = header_of(VERSION)

SEAL_RECORDS = 1 << 17
"""A segment is sealed at so many records, whatever its size: it bounds the table in memory."""

_FIRST_READ = 4096
_AHEAD = 1 << 16
"""Bytes that are read at once for a reader that goes forward by less than that."""


@dataclass(frozen=True, slots=True)
class Extent:
    """What is known of a segment: where its good bytes end, and what they add up to."""

    name: str
    end: int = len(HEADER)
    completions: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def grown(self, heads: Sequence[Head], end: int) -> Extent:
        """The extent with more frames on it."""
        return replace(
            self,
            end=end,
            completions=self.completions + len(heads),
            prompt_tokens=self.prompt_tokens + sum(h.prompt_tokens for h in heads),
            completion_tokens=self.completion_tokens + sum(h.completion_tokens for h in heads),
        )


class Table:
    """The keys of one segment that is not sealed yet, in memory.

    It is bounded by what one segment holds (`SEAL_RECORDS`, and the size at which it is sealed).
    """

    def __init__(self, name: str) -> None:
        self.extent = Extent(name)
        self.offsets: dict[bytes, tuple[int, ...]] = {}

    def add(self, frames: Sequence[tuple[int, Head]], end: int) -> None:
        """Take up frames that lie behind those already known."""
        for offset, head in frames:
            self.offsets[head.key] = (*self.offsets.get(head.key, ()), offset)
        self.extent = self.extent.grown([head for _, head in frames], end)

    def read_on(self, folder: Path) -> None:
        """Take up what its writer has added since; a torn tail waits until it is whole.

        Raises:
            LedgerError: If a Mashbill with another ledger format wrote it.
        """
        data, start = read_segment(folder, self.extent.name, self.extent.end)
        found = [f for f in scan(data) if not isinstance(f, Gap)]
        if found:
            offset, head = found[-1]
            self.add([(start + at, h) for at, h in found], start + offset + head.size)


def read_segment(folder: Path, name: str, start: int = 0) -> tuple[bytes, int]:
    """The bytes of a segment from the frame at `start` on, and the offset of the first of them.

    The file is read and not mapped: its writer may cut it back after a failed write.

    Raises:
        LedgerError: If a Mashbill with another ledger format wrote it.
    """
    with segment_path(folder, name).open("rb") as file:
        header = file.read(len(HEADER))
        version = int.from_bytes(header[8:12], "little")
        # A damaged header says nothing of the frames behind it, which carry their own checksums.
        if version != VERSION and header == header_of(version):
            raise LedgerError(
                f"{file.name}: written by another Mashbill (ledger format {version}, this one knows"
                f" {VERSION}); to update, type: pip install -U mashbill"
            )
        start = max(start, len(HEADER))
        file.seek(start)
        return file.read(), start


def read_at(fd: int, offset: int) -> tuple[Head, bytes] | None:
    """The frame at an offset of a segment or pack, checked to its last byte; None if not good."""
    data = os.pread(fd, _FIRST_READ, offset)
    head = read_head(data)
    if head is None:
        return None
    while len(data) < head.size:
        more = os.pread(fd, head.size - len(data), offset + len(data))
        if not more:
            return None
        data += more
    return (head, data) if body_is_good(head, data) else None


class OpenSegments:
    """Segments to read frames from; the files of the latest ones stay open.

    A run that goes on finds its records about in the order in which they were committed, so a
    reader that goes forward is read ahead for. Safe to use from several threads. A segment that a
    pack has replaced meanwhile can still be read: its file is gone by name only.
    """

    def __init__(self, folder: Path, most: int = 64) -> None:
        self._folder, self._most = folder, most
        self._guard = threading.Lock()
        self._files: OrderedDict[str, _Opened] = OrderedDict()

    def read(self, name: str, offset: int) -> tuple[Head, bytes] | None:
        """The frame at a place, checked to its last byte; None if it is not good, or not there."""
        with self._guard:
            if (file := self._files.get(name)) is None:
                try:
                    fd = os.open(segment_path(self._folder, name), os.O_RDONLY)
                except FileNotFoundError:
                    return None
                if len(self._files) >= self._most:
                    os.close(self._files.popitem(last=False)[1].fd)
                file = self._files[name] = _Opened(fd)
            else:
                self._files.move_to_end(name)
            return file.read(offset)

    def forget(self, name: str) -> None:
        """Drop what was read ahead: a writer may have taken back what it failed to write."""
        with self._guard:
            if name in self._files:
                self._files[name].data = b""

    def close(self) -> None:
        """Give up the files."""
        with self._guard:
            while self._files:
                os.close(self._files.popitem()[1].fd)


@dataclass(slots=True)
class _Opened:
    """An open segment, and the bytes of it that were read ahead."""

    fd: int
    start: int = 0
    data: bytes = b""
    last: int = 0

    def read(self, offset: int) -> tuple[Head, bytes] | None:
        near = 0 <= offset - self.last < _AHEAD
        self.last = offset
        if near and (found := self._held(offset)):
            return found
        if near:
            self.start, self.data = offset, os.pread(self.fd, _AHEAD, offset)
            if found := self._held(offset):
                return found
        return read_at(self.fd, offset)

    def _held(self, offset: int) -> tuple[Head, bytes] | None:
        at = offset - self.start
        head = read_head(self.data, at) if at >= 0 else None
        if head is None or not body_is_good(head, self.data, at):
            return None
        return head, self.data[at : at + head.size]


class OwnSegment:
    """The segment that this process writes. Its lock says to others that its writer lives."""

    def __init__(self, folder: Path) -> None:
        self.table = Table(new_name())
        path = segment_path(folder, self.table.extent.name)
        make_folder(path.parent)
        # It gets its name after its lock, so that nobody ever meets it unlocked and empty.
        draft = path.with_suffix(".tmp")
        self._fd = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            lock(self._fd)
            _write(self._fd, HEADER, 0)
            os.fsync(self._fd)
            draft.rename(path)
            sync_folder(path.parent)
        except BaseException:
            os.close(self._fd)
            draft.unlink(missing_ok=True)
            raise
        self._last = 0

    def append(self, group: Sequence[Packed]) -> None:
        """Write a group and make it durable, or leave the segment as it was.

        Raises:
            OSError: If it cannot be written; nothing of the group is kept.
        """
        self._last = max(time.time_ns(), self._last + 1)
        end = start = self.table.extent.end
        frames, parts = [], []
        for packed in group:
            head, data = frame(packed, self._last)
            frames.append((end, head))
            parts.append(data)
            end += len(data)
        try:
            _write(self._fd, b"".join(parts), start)
            os.fsync(self._fd)
        except OSError:
            # If this fails too, the next group is written over what was left behind.
            os.ftruncate(self._fd, start)
            raise
        self.table.add(frames, end)

    def close(self) -> None:
        """Give up the lock."""
        os.close(self._fd)


def _write(fd: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, offset)
        view, offset = view[written:], offset + written
