"""Plain files of lines or records, entered at random places.

Windows as wide as a mean row are laid one to a stratum, and what *begins* in a window is drawn: so
long rows and short ones are equally likely, where "the row at a random byte" would favour long
ones, and "the next row" those behind long ones. Strata are of equal numbers of rows, by a probe of
the files; a wrong probe costs precision, never makes a row likelier. Rows are counted in a wider
stretch behind each window, and bytes of text follow from the bytes of all files.
"""

from __future__ import annotations

import os
import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Protocol

import polars as pl

from .pools import CLUSTER, Batch, Ratio, Totals, ratio, row_sizes, total
from .spec import Unreadable

PROBES = 1_000
"""Places that are looked at to see how long units are, over all files."""
STRETCH = 16
"""Mean rows that a stretch has room for."""
GROUP = 20
"""Drawn units from which on neighbouring files have their own ratio of text to bytes."""
LEAST = 0.0005
"""Relative standard deviation of the bytes of text, at least: a header, a mark, a blank line."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A line or record: its file, where it begins there, its bytes, and the number of its draw."""

    file: int
    at: int
    raw: bytes
    draw: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a file: what begins before `stop` is drawn, what begins before `end` is counted."""

    begin: int
    stop: int
    end: int
    size: int


class Cutter(Protocol):
    """How a format is cut into units and read."""

    @property
    def piece(self) -> int:
        """Bytes of a place that is looked at to see how long units are."""
        ...

    @property
    def counted(self) -> int:
        """Bytes that units are counted in, over all rounds; beyond, in the windows alone."""
        ...

    def cut(self, file: int, handle: int, where: Stretch) -> tuple[list[tuple[int, bytes]], int]:
        """What begins in `[begin, stop)`, with its place, and how many begin in `[begin, end)`."""
        ...

    def parse(self, units: Sequence[Unit]) -> tuple[pl.DataFrame, list[Unreadable]]:
        """The rows among some units, with `_cluster`, and the units that are none."""
        ...


@dataclass(frozen=True, slots=True)
class _Draw:
    """A window: the units it gave for the first time, how many are rows, and what these hold.

    It stands for `width` bytes of its file, and by its stretch for `count` units.
    """

    file: int
    count: float
    width: float
    units: int
    rows: int
    length: int
    size: int


class Windows:
    """A pool of plain files. The same seeds draw the same rows."""

    def __init__(self, files: Sequence[Path], places: Sequence[int], cutter: Cutter) -> None:
        self._files, self._places, self._cutter = files, places, cutter
        self._sizes = [f.stat().st_size for f in files]
        self._expected = self._probe()
        self._ends = list(accumulate(self._expected))
        self._given: set[tuple[int, int]] = set()
        self._draws: list[_Draw] = []
        self._counts: list[tuple[int, Ratio]] = []
        self._counted = 0

    @property
    def rows(self) -> float:
        """See `pools.Pool`."""
        return self._ends[-1] if self._ends else 0.0

    @property
    def mean(self) -> float:
        """See `pools.Pool`."""
        return sum(self._sizes) / max(1.0, self.rows)

    def draw(self, n: int, seed: int) -> Batch:
        """See `pools.Pool`."""
        if not self.rows:
            return Batch()
        rng = random.Random(seed)
        most = max(0, self._cutter.counted - self._counted) // n
        stands: list[float] = []
        units: list[Unit] = []
        seen: list[tuple[int, float, float]] = []
        handle, opened = -1, -1
        try:
            for k in range(n):
                place = (k + rng.random()) / n * self.rows
                i = min(bisect_right(self._ends, place), len(self._ends) - 1)
                if i != opened:
                    if handle >= 0:
                        os.close(handle)
                    handle, opened = os.open(self._files[i], os.O_RDONLY), i
                first = self._ends[i] - self._expected[i]
                size, width = self._sizes[i], self._sizes[i] / self._expected[i]
                at = min(size - 1, int((place - first) / self._expected[i] * size))
                span = max(1, round(width))
                stretch = min(size, max(span, min(STRETCH * span, most)))
                found, count = self._cut(i, handle, at, span, stretch)
                self._counted += stretch
                stand = count / stretch * width
                stands.append(stand * self.rows / n)
                seen.append((i, stand, width))
                draw = len(self._draws) + k
                for where, raw in found:
                    if (i, where) not in self._given:
                        self._given.add((i, where))
                        units.append(Unit(i, where, raw, draw))
        finally:
            if handle >= 0:
                os.close(handle)
        self._counts.append((n, total(stands)))
        frame, bad = self._cutter.parse(units)
        self._note(seen, units, frame)
        return Batch([frame], bad, len(units))

    def _cut(
        self, file: int, handle: int, at: int, span: int, stretch: int
    ) -> tuple[list[tuple[int, bytes]], int]:
        """A window over the end goes on at the beginning, or the first rows would be rare."""
        size = self._sizes[file]
        found: list[tuple[int, bytes]] = []
        count = 0
        for begin, stop, end in (
            (at, at + span, at + stretch),
            (0, at + span - size, at + stretch - size),
        ):
            if end > begin:
                where = Stretch(begin, min(size, stop), min(size, end), size)
                units, starts = self._cutter.cut(file, handle, where)
                found += units
                count += starts
        return found, count

    def _note(
        self, seen: Sequence[tuple[int, float, float]], units: Sequence[Unit], frame: pl.DataFrame
    ) -> None:
        first = len(self._draws)
        counts, lengths, rows, sizes = ([0] * len(seen) for _ in range(4))
        for unit in units:
            counts[unit.draw - first] += 1
            lengths[unit.draw - first] += len(unit.raw) + 1
        for cluster, size in zip(frame[CLUSTER], row_sizes(frame), strict=True):
            rows[cluster - first] += 1
            sizes[cluster - first] += size
        files, stands, widths = zip(*seen, strict=True)
        self._draws += map(_Draw, files, stands, widths, counts, rows, lengths, sizes)

    def totals(self) -> Totals:
        """See `pools.Pool`."""
        if not self._counts:
            return Totals(0.0, 0.0)
        weight = sum(n for n, _ in self._counts)
        count = sum(n * c.value for n, c in self._counts) / weight
        variance = sum(n * n * c.variance for n, c in self._counts) / weight**2
        good = ratio([d.rows for d in self._draws], [d.units for d in self._draws])
        size, spread = self._text()
        return Totals(
            count * good.value,
            size,
            variance * good.value**2 + good.variance * count**2,
            spread + (LEAST * size) ** 2,
            frozenset(self._places[i] for i in {d.file for d in self._draws}),
        )

    def _text(self) -> tuple[float, float]:
        """Bytes of text in all files, and the variance.

        By regression on bytes, with an intercept for each group of files and one slope: a row's
        text is its line less what its kind of file spends on names and marks (Särndal, Swensson
        and Wretman 1992, §7: separate regression estimators with a common slope).
        """
        groups = self._groups()
        means: list[tuple[float, float]] = []
        top = base = 0.0
        for _, draws in groups:
            units = max(1, sum(d.units for d in draws))
            length = sum(d.length for d in draws) / units
            size = sum(d.size for d in draws) / units
            means.append((length, size))
            for d in draws:
                if d.units:  # what is left unexplained grows with length
                    x, y = d.length - d.units * length, d.size - d.units * size
                    top += x * y / d.length
                    base += x * x / d.length
        slope = top / base if base else 0.0
        value = variance = 0.0
        for (size, draws), (length, text) in zip(groups, means, strict=True):
            density = ratio([d.count for d in draws], [d.width for d in draws])
            spent = text - slope * length
            value += size * (slope + spent * density.value)
            units = sum(d.units for d in draws)
            left = [d.size - slope * d.length - spent * d.units for d in draws]
            missed = ratio(left, [d.units for d in draws]).variance
            variance += size**2 * (spent**2 * density.variance + density.value**2 * missed)
        return value, variance

    def _groups(self) -> list[tuple[int, list[_Draw]]]:
        """Neighbouring files that may expect enough draws together: their bytes, and their draws.

        What was drawn must not decide the groups: those that it favours would be taken as typical.
        """
        by_file: dict[int, list[_Draw]] = {}
        for d in self._draws:
            by_file.setdefault(d.file, []).append(d)
        groups: list[tuple[int, list[_Draw]]] = []
        size, expected, held = 0, 0.0, list[_Draw]()
        for i, bytes_ in enumerate(self._sizes):
            size += bytes_
            held += by_file.get(i, [])
            expected += len(self._draws) * self._expected[i] / self.rows
            if expected >= GROUP:
                groups.append((size, held))
                size, expected, held = 0, 0.0, []
        if groups and size:
            last, draws = groups.pop()
            return [*groups, (last + size, draws + held)]
        return groups or [(size, held)]

    def _probe(self) -> list[float]:
        """Units of each file, about; where there are many files, some tell of their neighbours."""
        every = -(-len(self._files) // PROBES)
        pieces = max(1, min(64, PROBES // max(1, len(self._files))))
        found: list[float] = []
        mean = 1.0
        for i, (path, size) in enumerate(zip(self._files, self._sizes, strict=True)):
            if i % every == 0 and size:
                mean = self._density(i, path, size, pieces) or mean
            # There is room for a row in a file, however long those around it are.
            found.append(max(1.0, size / mean) if size else 0.0)
        return found

    def _density(self, file: int, path: Path, size: int, pieces: int) -> float:
        """Mean bytes of a unit, from a few places; 0 where none begins in any of them."""
        handle = os.open(path, os.O_RDONLY)
        rng = random.Random(file)
        read = count = 0
        try:
            for k in range(pieces):
                begin = int(size * (k + rng.random()) / pieces)
                end = min(size, begin + self._cutter.piece)
                where = Stretch(begin, begin, end, size)
                count += self._cutter.cut(file, handle, where)[1]
                read += end - begin
        finally:
            os.close(handle)
        return read / count if count else float(min(size, read * 4))
