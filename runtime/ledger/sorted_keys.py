"""Sorted entries of an index, searched in place: in a mapped file, or in bytes.

An entry has 24 bytes, big-endian so that bytes sort as numbers do: the key (16), the segment's
place in a table of segments (3) and the offset in the segment (5).
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterator
from math import isqrt
from mmap import mmap

import xxhash

from .keys import KEY_BYTES

ENTRY = struct.Struct(f">{KEY_BYTES}sQ")
ENTRY_BYTES = 24
OFFSET_BITS = 40
CHUNK = 1 << 16
"""Entries that are read at a time by whoever reads them all."""


class SortedKeys:
    """Entries `[start, start + 24 * count)` of a buffer."""

    def __init__(self, data: mmap | bytes, start: int, count: int) -> None:
        self._data, self._start, self._count = data, start, count

    def __len__(self) -> int:
        return self._count

    def places(self, key: bytes) -> Iterator[tuple[int, int]]:
        """The places of a key: number of the segment and offset."""
        for i in range(self.lower_bound(key), self._count):
            at, place = ENTRY.unpack_from(self._data, self._start + i * ENTRY_BYTES)
            if at != key:
                break
            yield place >> OFFSET_BITS, place & ((1 << OFFSET_BITS) - 1)

    def lower_bound(self, key: bytes) -> int:
        """How many entries have a smaller key."""
        entries, start, width, count = self._data, self._start, ENTRY_BYTES, self._count

        def at(i: int) -> bytes:
            return entries[start + i * width : start + i * width + KEY_BYTES]

        # Keys are digests, so evenly spread: the share of the key space says where to look. The
        # standard deviation is at most half the root of the count, so this is wide enough.
        guess, spread = int.from_bytes(key, "big") * count >> 8 * KEY_BYTES, 2 * isqrt(count) + 8
        low, high = max(0, guess - spread), min(count, guess + spread)
        found = bisect_left(range(count), key, low, high, key=at)
        if (found == low and low) or (found == high and high < count):  # it may lie outside
            found = bisect_left(range(count), key, key=at)
        return found

    def key(self, i: int) -> bytes:
        """The key of entry `i`."""
        start = self._start + i * ENTRY_BYTES
        return self._data[start : start + KEY_BYTES]

    def part(self, low: int, high: int) -> bytes:
        """The bytes of entries `[low, high)`."""
        return self._data[self._start + low * ENTRY_BYTES : self._start + high * ENTRY_BYTES]

    def walk(self) -> Iterator[tuple[bytes, int, int]]:
        """All entries in order: key, number of the segment, offset."""
        for low in range(0, self._count, CHUNK):
            for key, place in ENTRY.iter_unpack(self.part(low, min(low + CHUNK, self._count))):
                yield key, place >> OFFSET_BITS, place & ((1 << OFFSET_BITS) - 1)

    def digest(self) -> int:
        """The checksum of all entries."""
        digest = xxhash.xxh3_64()
        for low in range(0, self._count, CHUNK):
            digest.update(self.part(low, min(low + CHUNK, self._count)))
        return digest.intdigest()
