"""A source's rows in a random order, as many as are asked for, and how much there is of it.

Small sources (256 MB, unpacked) and limited ones are read as a whole. Of larger ones, rounds of
draws from all files are made; see `windows`, `packed` and `stored_pool`.
"""

from __future__ import annotations

import math

import polars as pl
import xxhash

from ...compiler.estimating.facts import SourceFacts
from .opening import Opened, open_pools
from .pools import CLUSTER, Ceilings
from .spec import SourceSpec, Unreadable
from .whole import MANY, PLACE, Whole

ROWS = 200_000
SIZE = 64 << 20
FIRST = 1_000
"""Rows of the first batch; each later one has twice as many."""
FEWEST = 16
"""Rows that are drawn at once at least, however long they are."""
ENOUGH = 20
"""Drawing ends where less than this part of the bytes is left, or of a draw was new."""


class Sampler:
    """The rows of one source. The same seed gives the same rows, however many are asked for."""

    def __init__(self, opened: Opened, seed: int, rows: int, size: int) -> None:
        self._opened, self._seed, self._left, self._size = opened, seed, rows, size
        self._pools = opened.pools
        self._round = self._given = self._bytes = self._clusters = self._slices = 0
        self._waiting: pl.DataFrame | None = None
        self._bad: list[Unreadable] = list(opened.unreadable[:MANY])

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        """What was met so far that is no row; at most `MANY`."""
        return tuple(self._bad)

    @property
    def whole(self) -> bool:
        """Whether every row of the source has been given."""
        return self._waiting is None and all(isinstance(p, Whole) and p.done for p in self._pools)

    @property
    def slices(self) -> int:
        """Pieces that were cut out of files so far; see `pools.Batch`."""
        return self._slices

    def more(self) -> pl.DataFrame:
        """The next rows: about 1,000, then twice as many each time; none when there are no more.

        Rows that were drawn together have the same number in `_cluster`. The order is random, so
        that the first rows of a batch are a sample as well.

        Raises:
            OSError: A file cannot be read.
        """
        return self.placed().drop(PLACE, strict=False)

    def placed(self) -> pl.DataFrame:
        """As `more`, with the place of each row in the source, `_place`, where it is known."""
        if (frame := self._waiting) is not None:
            self._waiting = None
            return frame
        while (n := self._next()) > 0:
            frame = self._draw(n)
            if frame.height:
                self._given += frame.height
                return frame
        return self._opened.none

    def facts(self) -> SourceFacts:
        """How much there is of the source, by what was given so far.

        Raises:
            OSError: A file cannot be read.
        """
        if not self._round:
            self._waiting = self.placed()
        totals = [p.totals() for p in self._pools]
        rows, size = sum(t.rows for t in totals), sum(t.size for t in totals)
        scale, spread = self._opened.scale, self._opened.spread
        exact = all(isinstance(p, Whole) for p in self._pools)
        return SourceFacts(
            rows=rows * scale,
            size=size * scale,
            rows_spread=_spread(sum(t.rows_variance for t in totals), rows, spread),
            size_spread=_spread(sum(t.size_variance for t in totals), size, spread),
            exact=exact,
            files=self._opened.files,
            files_read=len(frozenset[int]().union(*(t.read for t in totals))),
            sampled=self._given,
        )

    def _next(self) -> int:
        """How many rows to draw; 0 where a ceiling is reached or nothing is left."""
        if all(isinstance(p, Whole) and p.done for p in self._pools):
            return 0
        room = self._size - self._bytes
        expected = sum(p.rows for p in self._pools)
        mean = sum(p.rows * p.mean for p in self._pools) / max(1.0, expected)
        n = min(FIRST << self._round, self._left)
        if not any(isinstance(p, Whole) for p in self._pools):
            if self._round and (room * ENOUGH < self._size or not expected):
                return 0
            n = min(n, max(FEWEST, int(min(expected, room / max(1.0, mean)))))
        return n

    def _draw(self, n: int) -> pl.DataFrame:
        expected = sum(p.rows for p in self._pools)
        seed = xxhash.xxh3_64_intdigest(f"{self._seed}:{self._round}".encode())
        frames, new = [self._opened.none], 0
        for k, pool in enumerate(self._pools):
            share = max(1, round(n * pool.rows / max(1.0, expected)))
            if self._round and not pool.rows:
                continue
            batch = pool.draw(share, seed)
            new += batch.new
            self._slices += batch.slices
            self._bad += batch.unreadable[: MANY - len(self._bad)]
            # Each pool numbers its draws by itself, however often it is drawn from.
            numbers = pl.col(CLUSTER) * len(self._pools) + k
            frames += [f.with_columns(numbers) for f in batch.frames]
        self._round += 1
        # Where hardly anything is new, nearly all was given: what is left is not worth a search.
        self._left = self._left - n if new > n / ENOUGH else 0
        frame = pl.concat(frames, how="diagonal")
        self._bytes += int(frame["text"].str.len_bytes().sum())
        if any(isinstance(p, Whole) for p in self._pools):
            return frame
        digest = xxhash.xxh3_64_intdigest
        order = [digest(i.encode(), seed) for i in frame["_id"]]
        return frame[pl.Series(order, dtype=pl.UInt64).arg_sort()]


def open_sampler(spec: SourceSpec, seed: int, *, rows: int = ROWS, size: int = SIZE) -> Sampler:
    """Open a source for sampling.

    Args:
        spec: The source.
        seed: What decides which rows come first.
        rows: The sampler gives no more rows than this.
        size: Nor, about, more bytes of text; at least one row in any case.

    Raises:
        OSError: A file cannot be read.
    """
    return Sampler(open_pools(spec, Ceilings(seed, rows, size)), seed, rows, size)


def _spread(variance: float, value: float, between: float) -> float:
    own = math.sqrt(variance) / value if value else 0.0
    return math.hypot(own, between)
