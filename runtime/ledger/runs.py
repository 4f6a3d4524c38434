"""Index runs: sorted keys of one or more sealed segments, mapped and searched in place.

A run is a header, the sorted entries (`sorted_keys.py`), and a table of the segments that it
covers. Runs are derived from segments: if one is lost or damaged, its segments are read again.

At a billion draws (16,000 segments of 64 MB) runs hold 24 GB. A search touches about 20 entries of
each run, most of them on neighbouring pages; merging keeps the number of runs logarithmic, as
log-structured merge trees do (O'Neil et al. 1996), and holds one key range of about 64 thousand
entries in memory at a time.
"""

from __future__ import annotations

import itertools
import mmap
import struct
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import astuple
from pathlib import Path

import orjson
import xxhash

from .keys import KEY_BYTES
from .layout import LedgerError, new_name, replacing, run_path
from .segments import SEAL_RECORDS, Extent, Table
from .sorted_keys import CHUNK, ENTRY, ENTRY_BYTES, OFFSET_BITS, SortedKeys

VERSION = 1
_HEADER = struct.Struct("<8sIIQQQQQ")
_MAGIC = b"MBINDEX\0"
_CHUNK = CHUNK
FAN_IN = 8
SMALL = SEAL_RECORDS * 3 // 2
"""Runs of up to so many entries are of similar size, whatever their sizes: one segment at most."""
MANY = 3 * FAN_IN
"""Each run costs a look-up about 6 microseconds: more than so many are merged, however large."""


class RunDamagedError(Exception):
    """A run whose header or table is not as it was written."""


class Run:
    """A mapped index run.

    Raises:
        RunDamagedError: If its header or table is damaged.
        LedgerError: If a Mashbill with another ledger format wrote it.
        FileNotFoundError: If it was merged away meanwhile.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            head = file.read(_HEADER.size)
            if len(head) < _HEADER.size:
                raise RunDamagedError(f"{path}: shorter than its header")
            magic, version, _, count, table, body_check, table_check, check = _HEADER.unpack(head)
            if magic != _MAGIC or check != _digest(head[:-8]):
                raise RunDamagedError(f"{path}: the header is damaged")
            if version != VERSION:
                raise LedgerError(
                    f"{path}: written by another Mashbill (index format {version}, this one knows"
                    f" {VERSION}); to update, type: pip install -U mashbill"
                )
            self._body_check: int = body_check
            file.seek(_HEADER.size + count * ENTRY_BYTES)
            raw = file.read()
            if len(raw) != table or _digest(raw) != table_check:
                raise RunDamagedError(f"{path}: the table of segments is damaged")
            self.bytes = file.tell()
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.keys = SortedKeys(self._map, _HEADER.size, count)
        self.extents = tuple(Extent(*fields) for fields in orjson.loads(raw))
        self.names = frozenset(extent.name for extent in self.extents)

    def __len__(self) -> int:
        return len(self.keys)

    def find(self, key: bytes) -> list[tuple[str, int]]:
        """The places of a key: segment and offset."""
        extents = self.extents  # a number beyond them is a flipped bit, which `is_good` finds
        return [(extents[n].name, at) for n, at in self.keys.places(key) if n < len(extents)]

    def walk(self) -> Iterator[tuple[bytes, str, int]]:
        """All entries in order: key, segment and offset."""
        names = [extent.name for extent in self.extents]
        for key, n, offset in self.keys.walk():
            if n < len(names):
                yield key, names[n], offset

    def close(self) -> None:
        """Give up the mapping; merely dropping the run does so too."""
        self._map.close()

    def is_good(self) -> bool:
        """Whether all entries are as they were written."""
        return self.keys.digest() == self._body_check


def seal(folder: Path, table: Table) -> Run:
    """Write the run of one segment. Two processes that do so for one segment write the same bytes.

    Raises:
        OSError: If it cannot be written; the segment stays unsealed.
    """
    places = ((key, o) for key, offsets in table.offsets.items() for o in offsets)
    entries = sorted(itertools.starmap(ENTRY.pack, places))
    return _write(run_path(folder, table.extent.name), [b"".join(entries)], [table.extent])


def merge(folder: Path, runs: Sequence[Run], *, without: Collection[str] = ()) -> Run | None:
    """Write one run in place of several, and remove them.

    Args:
        folder: Of the ledger.
        runs: At least one.
        without: Segments whose entries are left out.

    Returns:
        The run; None if there is nothing left for it.

    Raises:
        OSError: If it cannot be written; the runs stay.
    """
    runs = sorted(runs, key=len, reverse=True)  # the largest comes first: its places stay the same
    extents = [e for run in runs for e in run.extents if e.name not in without]
    run = None
    if extents:
        run = _write(run_path(folder, new_name()), _merged(runs, without), extents)
    for old in runs:
        old.path.unlink(missing_ok=True)
    return run


def crowded(runs: Iterable[Run], *, limit: int) -> list[Run]:
    """The runs to merge next, smallest first: none, or `FAN_IN` and more of similar size.

    A run is taken while it is small, or at most twice all smaller ones together, so an entry is
    merged a logarithmic number of times; together they have at most `limit` entries, unless there
    are `MANY`.
    """
    runs = list(runs)
    if len(runs) > MANY:
        limit = sum(map(len, runs))
    chosen: list[Run] = []
    total = 0
    for run in sorted(runs, key=len):
        if total and (len(run) > max(2 * total, SMALL) or total + len(run) > limit):
            break
        chosen.append(run)
        total += len(run)
    return chosen if len(chosen) >= FAN_IN else []


def _merged(runs: Sequence[Run], without: Collection[str]) -> Iterator[bytes]:
    """All entries in order, a key range at a time; segments are counted on from run to run."""
    numbers = itertools.count()
    moves = [[-1 if e.name in without else next(numbers) for e in r.extents] for r in runs]
    ranges = max(1, sum(map(len, runs)) // _CHUNK)
    lows = [0] * len(runs)
    for i in range(1, ranges + 1):
        highs = [len(run) for run in runs]
        if i < ranges:  # keys are digests, so equal ranges hold about as many
            bound = (i * (1 << 8 * KEY_BYTES) // ranges).to_bytes(KEY_BYTES, "big")
            highs = [run.keys.lower_bound(bound) for run in runs]
        entries: list[bytes] = []
        for run, move, low, high in zip(runs, moves, lows, highs, strict=True):
            entries += _moved(run.keys.part(low, high), move)
        entries.sort()  # a few sorted stretches, which this sort merges
        yield b"".join(entries)
        lows = highs


def _moved(part: bytes, move: Sequence[int]) -> Iterable[bytes]:
    """Entries with their segments counted anew; those that move to -1 are left out."""
    if all(new == old for old, new in enumerate(move)):
        return [e for (e,) in struct.iter_unpack(f"{ENTRY_BYTES}s", part)]
    rest = (1 << OFFSET_BITS) - 1
    return [
        ENTRY.pack(key, move[old] << OFFSET_BITS | place & rest)
        for key, place in ENTRY.iter_unpack(part)
        if (old := place >> OFFSET_BITS) < len(move) and move[old] >= 0
    ]


def _write(path: Path, parts: Iterable[bytes], extents: Sequence[Extent]) -> Run:
    table = orjson.dumps([astuple(extent) for extent in extents])
    digest, size = xxhash.xxh3_64(), 0
    with replacing(path) as file:
        file.write(bytes(_HEADER.size))
        for part in parts:
            digest.update(part)
            size += file.write(part)
        file.write(table)
        head = _HEADER.pack(
            _MAGIC,
            VERSION,
            0,
            size // ENTRY_BYTES,
            len(table),
            digest.intdigest(),
            _digest(table),
            0,
        )[:-8]
        file.seek(0)
        file.write(head + struct.pack("<Q", _digest(head)))
    return Run(path)


def _digest(data: bytes) -> int:
    return xxhash.xxh3_64_intdigest(data)
