"""Where rows of large sources are drawn from: files of one format, entered in many places.

A pool draws so that every row is equally likely, in rounds: what an earlier round has given, a
later one neither changes nor gives again. Its totals carry the variance that the places show.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from .spec import CLUSTER as CLUSTER
from .spec import Unreadable

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Ceilings:
    """What decides a sample: its seed, and the most rows and bytes of text that it may have."""

    seed: int
    rows: int
    size: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What all files of a pool hold, by what was drawn.

    Attributes:
        rows: Readable rows.
        size: Bytes of their text columns; see `row_sizes`.
        rows_variance: Of `rows`; 0 where they were counted.
        size_variance: Of `size`.
        read: Of which files, by their place in the source, something was read.
    """

    rows: float
    size: float
    rows_variance: float = 0.0
    size_variance: float = 0.0
    read: frozenset[int] = frozenset()


@dataclass(slots=True)
class Batch:
    """Rows of one draw, with `_cluster`, what is no row, and how much of both was new.

    `slices` are the pieces that were cut out of files of typed columns, which take a while each.
    """

    frames: list[pl.DataFrame] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    new: int = 0
    slices: int = 0


class Pool(Protocol):
    """Files of one format."""

    @property
    def rows(self) -> float:
        """Rows of all files, about, before anything is drawn: pools share draws by it."""
        ...

    @property
    def mean(self) -> float:
        """Stored bytes of a row, about."""
        ...

    def draw(self, n: int, seed: int) -> Batch:
        """About `n` more rows."""
        ...

    def totals(self) -> Totals:
        """What the files hold, by all draws so far."""
        ...


def row_sizes(frame: pl.DataFrame) -> pl.Series:
    """UTF-8 bytes of each row's text: of all text columns whose name does not begin with `_`."""
    import polars as pl

    texts = [n for n, kind in frame.schema.items() if kind == pl.String and n[0] != "_"]
    sizes = [pl.col(n).str.len_bytes().fill_null(0).cast(pl.Int64) for n in texts]
    return frame.select(pl.sum_horizontal(sizes).alias("size"))["size"]


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of two totals over draws, and its variance."""

    value: float
    variance: float


def ratio(tops: Sequence[float], bases: Sequence[float]) -> Ratio:
    """The ratio of two sums over draws that were made one to a stratum, in their order.

    Its variance is by successive differences of the residuals, which sees what strata gain in an
    ordered source and is at most too large (Wolter 2007, Introduction to Variance Estimation, §8).
    """
    n, base = len(bases), math.fsum(bases)
    if not base:
        return Ratio(0.0, 0.0)
    value = math.fsum(tops) / base
    if n < 2:
        return Ratio(value, value**2)
    left = [t - value * b for t, b in zip(tops, bases, strict=True)]
    differences = math.fsum((a - b) ** 2 for a, b in pairwise(left))
    return Ratio(value, n / (2 * (n - 1)) * differences / base**2)


def total(draws: Sequence[float]) -> Ratio:
    """A sum of what draws stand for, one to a stratum, in their order."""
    n, value = len(draws), math.fsum(draws)
    if n < 2:
        return Ratio(value, value**2)
    differences = math.fsum((a - b) ** 2 for a, b in pairwise(draws))
    return Ratio(value, n / (2 * (n - 1)) * differences)


def identified(docs: Sequence[str], places: Sequence[str]) -> list[str]:
    """`_id`s of sampled rows: unlike those of a run, which name the partition."""
    import xxhash

    digest = xxhash.xxh3_128_hexdigest
    return [digest(f"{d}sample:{p}".encode()) for d, p in zip(docs, places, strict=True)]
