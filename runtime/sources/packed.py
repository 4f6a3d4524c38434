"""Packed files of lines: they cannot be entered in the middle, so their beginnings are read.

Every file gives the same share of its packed bytes, so that every line that can be met is equally
likely; of very many files, some are read. What lies behind the shares nobody has seen: the
variance is what differs between files, and what drifts from the first half of the shares to the
second; of an order that shows in neither, `ASSUMED` is allowed for.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import xxhash

from .lines import read_blocks
from .pools import Batch, Ceilings, Ratio, Totals, ratio, row_sizes
from .spec import Unreadable
from .windows import Cutter, Unit

UNPACKED = 512 << 20
"""Bytes that are unpacked, of all files together."""
FILES = 256
"""Files that are read, at most."""
HEADS = 64
"""Files whose beginning tells how tightly they are packed."""
CLUSTERS = 32
"""Files from which on the rows of each are one cluster; of fewer, pieces of a file are."""
ASSUMED = 0.2
"""Standard deviation of what the unread rest of one file differs by, as a share: an assumption."""


@dataclass(slots=True)
class _File:
    """What was read of a file: bytes on disk, and the units and bytes of each half of them."""

    place: int
    done: int
    units: tuple[int, int]
    length: tuple[int, int]


class Joiner(Cutter, Protocol):
    """A format whose files may also be packed."""

    def joined(
        self, lines: Iterable[tuple[int, bytes, float]]
    ) -> Iterable[tuple[int, bytes, float]]:
        """Units of a file's lines: each with its number and its place on disk."""
        ...


class PackedPool:
    """A pool of packed files of lines or records."""

    def __init__(
        self,
        paths: Sequence[Path],
        places: Sequence[int],
        shown: Sequence[str],
        joiner: Joiner,
        ceilings: Ceilings,
    ) -> None:
        self._paths, self._places, self._shown, self._joiner = paths, places, shown, joiner
        self._sizes = [p.stat().st_size for p in self._paths]
        self._growth, self.mean = _probe(self._paths, joiner)
        self.rows = sum(self._sizes) * self._growth / self.mean
        self._ceilings, self._seed = ceilings, ceilings.seed
        self._read: list[_File] = []
        self._units: list[Unit] = []
        self._next = 0
        self._drawn: list[tuple[int, int, int, int]] = []
        """Of each batch: units, rows, bytes of units, size of rows."""

    def draw(self, n: int, seed: int) -> Batch:
        """See `pools.Pool`; the order is fixed by the seed of the sampler."""
        del seed
        faults = [] if self._read else self._unpack()
        units = self._units[self._next : self._next + n]
        self._next += n
        frame, bad = self._joiner.parse(units)
        length = sum(len(u.raw) + 1 for u in units)
        self._drawn.append((len(units), frame.height, length, int(row_sizes(frame).sum())))
        return Batch([frame], faults + bad, len(units))

    def totals(self) -> Totals:
        """See `pools.Pool`."""
        whole = sum(self._sizes)
        done = [f.done for f in self._read]
        count = ratio([sum(f.units) for f in self._read], done)
        length = ratio([sum(f.length) for f in self._read], done)
        units, good, drawn, text = (sum(x) for x in zip(*self._drawn, strict=True))
        unseen = 1 - sum(done) / max(1, whole)
        kept = good / max(1, units)
        rows, size = count.value * whole * kept, length.value * whole * text / max(1, drawn)
        return Totals(
            rows,
            size,
            (rows * self._unknown(count, unseen, length=False)) ** 2,
            (size * self._unknown(length, unseen, length=True)) ** 2,
            frozenset(f.place for f in self._read),
        )

    def _unknown(self, found: Ratio, unseen: float, *, length: bool) -> float:
        """Relative standard deviation of a total, by files, by drift, and by assumption."""
        between = math.sqrt(found.variance) / found.value if found.value else 0.0
        if len(self._read) < 2:
            between = 0.0
        halves = [f.length if length else f.units for f in self._read]
        first, second = sum(h[0] for h in halves), sum(h[1] for h in halves)
        drift = abs(math.log(second / first)) if first and second else 0.0
        assumed = ASSUMED / math.sqrt(max(1, len(self._read)))
        return unseen * math.sqrt(between**2 + drift**2 + assumed**2)

    def _unpack(self) -> list[Unreadable]:
        """Read the shares, and keep units by the hash of seed and place, as far as the ceilings."""
        count = len(self._paths)
        rng = random.Random(self._seed)
        chosen = list(range(count))
        if count > FILES:
            chosen = [int((k + rng.random()) * count / FILES) for k in range(FILES)]
        whole = sum(self._sizes[i] for i in chosen) * self._growth
        share = min(1.0, UNPACKED / max(1.0, whole))
        rows, size = self._ceilings.rows, self._ceilings.size
        expected = max(1.0, whole * share / self.mean)
        limit = int(min(1.0, 1.5 * min(rows, size / self.mean + 100) / expected) * 2**64)
        ranked: list[tuple[int, Unit]] = []
        faults: list[Unreadable] = []
        for i in chosen:
            self._file(i, share, limit, ranked, faults)
        ranked.sort(key=lambda pair: (pair[0], pair[1].file, pair[1].at))
        self._units = [unit for _, unit in ranked[:rows]]
        return faults

    def _file(
        self,
        i: int,
        share: float,
        limit: int,
        ranked: list[tuple[int, Unit]],
        faults: list[Unreadable],
    ) -> None:
        digest, salt = xxhash.xxh3_64_intdigest, self._seed & (2**64 - 1)
        size = self._sizes[i]
        stop = size * share if share < 1 else math.inf
        middle = size * share / 2
        units, length = [0, 0], [0, 0]
        end = 0.0
        for number, raw, at in self._joiner.joined(self._placed(i, faults)):
            end = at
            if at >= stop:
                break
            half = at >= middle
            units[half] += 1
            length[half] += len(raw) + 1
            rank = digest(b"%d:%d" % (i, number), salt)
            if rank < limit:
                draw = self._cluster(i, at / max(1.0, size * share), share, len(ranked))
                ranked.append((rank, Unit(i, number, raw, draw)))
        done = size if end < stop else max(1, round(min(end, size)))
        self._read.append(
            _File(self._places[i], done, (units[0], units[1]), (length[0], length[1]))
        )

    def _placed(self, i: int, faults: list[Unreadable]) -> Iterator[tuple[int, bytes, float]]:
        """Lines of a file, with their numbers and where they stand on disk, about."""
        done = 0
        for block in read_blocks(self._paths[i]):
            before, done = done, block.done
            if fault := block.fault:
                faults.append(Unreadable(self._shown[i], fault.line, fault.reason, fault.raw))
            unpacked = sum(map(len, block.lines)) + len(block.lines)
            step = (done - before) / max(1, unpacked)
            at = float(before)
            for number, raw in enumerate(block.lines, block.first):
                yield number, raw, at
                at += (len(raw) + 1) * step

    def _cluster(self, file: int, part: float, share: float, number: int) -> int:
        if share == 1 and len(self._paths) <= FILES:
            return number
        pieces = max(1, CLUSTERS // min(FILES, len(self._paths)))
        return file * pieces + min(pieces - 1, int(part * pieces))


def _probe(paths: Sequence[Path], joiner: Joiner) -> tuple[float, float]:
    """Unpacked bytes for each packed one, and mean bytes of a unit, at the beginning of some."""
    packed = unpacked = joined = units = 0
    every = max(1, -(-len(paths) // HEADS))
    for path in paths[::every]:
        block = next((b for b in read_blocks(path) if b.lines), None)
        if block is None:
            continue
        packed += block.done
        unpacked += sum(map(len, block.lines)) + len(block.lines)
        for _, raw, _ in joiner.joined((0, raw, 0.0) for raw in block.lines):
            joined += len(raw) + 1
            units += 1
    return (unpacked / packed, joined / units) if units else (1.0, 1.0)
