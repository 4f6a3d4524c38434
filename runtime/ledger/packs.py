"""Packs: sealed segments after compaction, many in one file, smaller and with their own index.

A pack holds the frames of segments in the order of their keys, their bodies compressed with a
dictionary that was trained on them (zstandard's COVER; replies of one prompt are much alike), then
the sorted entries, then a table, then a foot. The dictionary stands at both ends: without it no
record could be read. A pack comes into being by one rename, and names the files that it replaces:
from that moment they are ignored, whether or not they have been removed yet.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import xxhash
import zstandard

from .framing import Gap, Head, scan
from .layout import LedgerError
from .segments import Extent, read_at
from .sorted_keys import ENTRY, ENTRY_BYTES, SortedKeys

VERSION = 1
MAGIC = b"MBPACK\0\0"
START = struct.Struct("<8sII")
DICT = struct.Struct("<IQ")
FOOT = struct.Struct("<8sIIQQQQQQ")

Models = Counter[tuple[str, str, str]]
"""Counts by engine, model and `n`, `in` or `out`: completions and tokens."""


class PackDamagedError(Exception):
    """A pack of which not even a dictionary is left."""


class Pack:
    """An open pack.

    A pack with a damaged foot, table or index is read frame by frame instead, which takes the
    memory of its keys.

    Raises:
        PackDamagedError: If both dictionaries are damaged.
        LedgerError: If a Mashbill with another ledger format wrote it.
        FileNotFoundError: If it was replaced meanwhile.
    """

    def __init__(self, path: Path) -> None:
        self._fd = -1
        self.path, self.name = path, path.stem
        self.bytes = path.stat().st_size
        self.replaces: frozenset[str] = frozenset()
        self.models: Models | None = None
        """What it holds by model; None if that must be counted."""
        self.whole = False
        """Whether foot, table and both dictionaries are as they were written."""
        self._check = 0
        self._frames = 0
        self._map: mmap.mmap | None = None
        self._local = threading.local()
        self._fd = os.open(path, os.O_RDONLY)
        self._open()

    def _open(self) -> None:
        start = os.pread(self._fd, START.size, 0)
        if len(start) == START.size:
            magic, version, check = START.unpack(start)
            if magic == MAGIC and check == short_digest(start[:-4]) and version != VERSION:
                raise LedgerError(
                    f"{self.path}: written by another Mashbill (pack format {version}, this one"
                    f" knows {VERSION}); to update, type: pip install -U mashbill"
                )
        first, self._frames = self._dictionary(START.size)
        foot = os.pread(self._fd, FOOT.size, max(0, self.bytes - FOOT.size))
        second = None
        if len(foot) == FOOT.size and FOOT.unpack(foot)[0] == MAGIC and _sound(foot):
            _, _, table, second_at, entries_at, count, self._check, table_check, _ = FOOT.unpack(
                foot
            )
            second, _ = self._dictionary(second_at)
            raw = os.pread(self._fd, table, entries_at + count * ENTRY_BYTES)
            if digest_of(raw) == table_check:
                facts = orjson.loads(raw)
                self._frames = facts["frames"]
                self.extent = Extent(*facts["extent"])
                self.replaces = frozenset(facts["replaces"])
                self.models = Counter({(e, m, w): n for e, m, w, n in facts["models"]})
                self._map = mmap.mmap(self._fd, 0, access=mmap.ACCESS_READ)
                self.keys = SortedKeys(self._map, entries_at, count)
                self.whole = None not in (first, second)
        dictionary = first if first is not None else second
        if dictionary is None:
            raise PackDamagedError(f"{self.path}: the dictionary is damaged")
        self._dict = dictionary
        if self._map is None:
            self._salvage()

    def _dictionary(self, at: int) -> tuple[bytes | None, int]:
        """The dictionary at an offset, None if it is damaged; and where it ends."""
        head = os.pread(self._fd, DICT.size, at)
        if len(head) < DICT.size:
            return None, at
        size, check = DICT.unpack(head)
        data = os.pread(self._fd, size, at + DICT.size) if size <= self.bytes else b""
        good = len(data) == size and digest_of(data) == check
        return (data if good else None), at + DICT.size + size

    def _salvage(self) -> None:
        data = self.path.read_bytes()
        found = [f for f in scan(data, START.size) if not isinstance(f, Gap)]
        end = max((at + head.size for at, head in found), default=self._frames)
        self.extent = Extent(self.name).grown([head for _, head in found], end)
        entries = sorted(ENTRY.pack(head.key, at) for at, head in found)
        self.keys = SortedKeys(b"".join(entries), 0, len(entries))

    def __len__(self) -> int:
        return len(self.keys)

    def find(self, key: bytes) -> list[tuple[str, int]]:
        """The places of a key: this pack's name and the offset."""
        return [(self.name, offset) for _, offset in self.keys.places(key)]

    def walk(self) -> Iterator[tuple[bytes, str, int]]:
        """All entries in order: key, this pack's name, offset."""
        return ((key, self.name, offset) for key, _, offset in self.keys.walk())

    def read(self, offset: int) -> tuple[Head, bytes] | None:
        """The frame at an offset, checked to its last byte; None if it is not good."""
        return read_at(self._fd, offset)

    def expand(self, body: bytes) -> bytes:
        """A body that was compressed with this pack's dictionary."""
        unpack: Callable[[bytes], bytes] | None = getattr(self._local, "unpack", None)
        if unpack is None:
            unpack = self._local.unpack = zstandard.ZstdDecompressor(
                dict_data=zstandard.ZstdCompressionDict(self._dict)
            ).decompress
        return unpack(body)

    def problems(self) -> Iterator[tuple[int, str, int]]:
        """What is damaged: from which byte, what of it, and how many completions are lost by it."""
        if not self.whole:
            yield 0, "a table or dictionary is damaged; records are read all the same", 0
        elif self.keys.digest() != self._check:
            yield self.extent.end, "the index is damaged", 0
        at = self._frames
        while at < self.extent.end and (found := self.read(at)):
            at += found[0].size
        if at < self.extent.end:
            yield from self._gaps()

    def _gaps(self) -> Iterator[tuple[int, str, int]]:
        with self.path.open("rb") as file:
            data = file.read(self.extent.end)
        found = list(scan(data, self._frames))
        gaps = [f for f in found if isinstance(f, Gap)]
        lost = max(0, self.extent.completions - (len(found) - len(gaps))) if self.whole else 0
        for i, gap in enumerate(gaps):
            size = gap.end - gap.start
            yield gap.start, f"{size:,} bytes are damaged", 0 if i else lost

    def close(self) -> None:
        """Give up the file."""
        if self._map is not None:
            self._map.close()
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)


def _sound(foot: bytes) -> bool:
    return bool(digest_of(foot[:-8]) == struct.unpack("<Q", foot[-8:])[0])


def digest_of(data: bytes) -> int:
    """The checksum of whatever stands in a pack (XXH3, 64 bits)."""
    return xxhash.xxh3_64_intdigest(data)


def short_digest(data: bytes) -> int:
    """32 bits of it."""
    return digest_of(data) & 0xFFFFFFFF
