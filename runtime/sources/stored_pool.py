"""Files of typed columns, drawn from in windows of few rows each.

The rows of all files are counted, so windows lie in strata of equal numbers of rows; a window that
reaches the end of a file goes on in the next. Where a format says how large its text column is,
that is taken if the drawn rows agree.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

import polars as pl

from ...compiler.types import Type
from .pools import CLUSTER, Batch, Totals, identified, ratio, row_sizes
from .spec import Named, SourceSpec, Table, Unreadable
from .tables import rows_of

if TYPE_CHECKING:
    from .stored import Stored

WIDTH = 4
"""Rows of a window."""
MOST = 256
"""Windows of a round; where more rows are asked for, windows are wider."""
PREFIX = 4
"""Bytes that a stored text takes beside its own, as most writers store it."""
AGREED, STATED = 4.0, 0.003
"""Standard deviations by which a stated size may differ from the sample's, and its own share."""


@dataclass(frozen=True, slots=True)
class Inside:
    """What a format says of files: rows of each, and bytes of the text column of all, if known."""

    rows: Sequence[int]
    text: float | None = None


@dataclass(frozen=True, slots=True)
class _Run:
    """Consecutive rows of a file, and the number of the window that they lie in."""

    start: int
    count: int
    draw: int


@dataclass(slots=True)
class _Pieces:
    """Runs of files that have the same columns, with file and line of each row."""

    frames: list[pl.DataFrame] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    faults: list[Unreadable] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Draw:
    """A window: rows that it reached, those that are readable, their size and their text."""

    asked: int
    rows: int
    size: int
    text: int


class StoredPool:
    """A pool of such files. The same seeds draw the same rows."""

    def __init__(
        self,
        format: Stored,
        spec: SourceSpec,
        types: Mapping[str, Type],
        files: Sequence[Named],
        places: Sequence[int],
        inside: Inside,
        mean: float,
    ) -> None:
        self._format, self._spec, self._types = format, spec, types
        self._files, self._places, self._inside = files, places, inside
        self._ends = list(accumulate(inside.rows))
        self._given: set[int] = set()
        self._draws: list[_Draw] = []
        self._read: set[int] = set()
        self._told = False
        self.mean = mean

    @property
    def rows(self) -> float:
        """See `pools.Pool`."""
        return float(self._ends[-1]) if self._ends else 0.0

    def draw(self, n: int, seed: int) -> Batch:
        """See `pools.Pool`."""
        batch = Batch()
        if not self._told:  # files that have no rows, or cannot be read: then that is told
            self._told = True
            for i, rows in enumerate(self._inside.rows):
                if not rows:
                    for table in self._format.read(self._spec, self._types, [self._files[i]]):
                        batch.unreadable += rows_of(self._spec, self._types, table)[1]
        whole = int(self.rows)
        if not whole:
            return batch
        first, count = len(self._draws), min(MOST, -(-n // WIDTH))
        asked, wanted = self._lay(random.Random(seed), count, min(whole, -(-n // count)), first)
        pieces: dict[str, _Pieces] = {}
        for i in sorted(wanted):
            self._take(i, wanted[i], pieces)
        for held in pieces.values():
            self._add(held, batch)
        self._read |= set(wanted)
        self._note(first, asked, batch.frames)
        batch.new = sum(asked)
        batch.slices = sum(map(len, wanted.values()))
        return batch

    def _lay(
        self, rng: random.Random, count: int, width: int, first: int
    ) -> tuple[list[int], dict[int, list[_Run]]]:
        """Windows, one to a stratum: new rows of each, and what to read of each file."""
        whole = int(self.rows)
        asked = [0] * count
        wanted: dict[int, list[_Run]] = {}
        for k in range(count):
            start = int((k + rng.random()) / count * whole)
            for row in (r % whole for r in range(start, start + width)):
                if row in self._given:
                    continue
                self._given.add(row)
                asked[k] += 1
                i = bisect_right(self._ends, row)
                at = row - self._ends[i] + self._inside.rows[i]
                runs = wanted.setdefault(i, [])
                if runs and runs[-1].draw == first + k and runs[-1].start + runs[-1].count == at:
                    runs[-1] = _Run(runs[-1].start, runs[-1].count + 1, first + k)
                else:
                    runs.append(_Run(at, 1, first + k))
        return asked, wanted

    def _take(self, i: int, runs: Sequence[_Run], pieces: dict[str, _Pieces]) -> None:
        """Read runs of one file, and put them to those of other files with the same columns."""
        file = self._files[i]
        places = [(run.start, run.count) for run in runs]
        tables = self._format.runs(self._spec, self._types, file, places)
        for run, table in zip(runs, tables, strict=False):  # a file that cannot be read tells once
            held = pieces.setdefault(repr(table.frame.schema), _Pieces())
            held.faults += table.faults
            if table.frame.width:
                number = pl.lit(run.draw, pl.Int64).alias(CLUSTER)
                held.frames.append(table.frame.with_columns(number))
                held.files += [file.shown] * table.frame.height
                held.lines += table.lines

    def _add(self, held: _Pieces, batch: Batch) -> None:
        """Rows of pieces, as one table: what is done by table costs more than its rows."""
        frame = pl.concat(held.frames) if held.frames else pl.DataFrame()
        table = Table(frame, held.files, held.lines, tuple(held.faults))
        rows, bad = rows_of(self._spec, self._types, table)
        batch.unreadable += bad
        if rows.height:
            at = [f"{n}:{k}" for k, n in enumerate(rows[CLUSTER])]
            ids = pl.Series("_id", identified(rows["_doc"].to_list(), at), pl.String)
            batch.frames.append(rows.with_columns(ids))

    def _note(self, first: int, asked: Sequence[int], frames: Sequence[pl.DataFrame]) -> None:
        rows, sizes, texts = ([0] * len(asked) for _ in range(3))
        for frame in frames:
            text = frame["text"].str.len_bytes()
            for k, size, length in zip(frame[CLUSTER], row_sizes(frame), text, strict=True):
                rows[k - first] += 1
                sizes[k - first] += size
                texts[k - first] += length
        self._draws += map(_Draw, asked, rows, sizes, texts)

    def totals(self) -> Totals:
        """See `pools.Pool`."""
        counts = [d.rows for d in self._draws]
        good = ratio(counts, [d.asked for d in self._draws])
        rows, spread = self.rows * good.value, self.rows**2 * good.variance
        size = ratio([d.size for d in self._draws], counts)
        value, variance = rows * size.value, rows**2 * size.variance + size.value**2 * spread
        stated, text = self._stated(rows), ratio([d.text for d in self._draws], counts)
        doubt = AGREED * rows * math.sqrt(text.variance) + STATED * rows * text.value
        if stated is not None and abs(stated - rows * text.value) <= doubt:
            # The text as stated, and as much of other columns as the sample shows.
            copies = 2 if self._spec.keep_source else 1
            beside = ratio([d.size - copies * d.text for d in self._draws], counts)
            value = copies * stated + rows * beside.value
            variance = (copies * stated * STATED) ** 2 + rows**2 * beside.variance
        read = frozenset(self._places[i] for i in self._read)
        return Totals(rows, value, spread, variance, read)

    def _stated(self, rows: float) -> float | None:
        """Bytes of text by what the format says, of readable rows."""
        if self._inside.text is None or not self.rows:
            return None
        return (self._inside.text - PREFIX * self.rows) * rows / self.rows
