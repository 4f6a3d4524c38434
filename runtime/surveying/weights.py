"""Sampled rows and what they stand for: their own columns beside those of the data.

A row keeps `_weight` (rows of the whole that it stands for), `_there` (how many of these the ledger
lets get as far as here: behind a pilot, the row itself), `_cluster` (rows that were drawn together)
and `_rank` (its place in the sample: rows up to some rank are as large a share of each source) on
its way through the steps, with `_order`, which is unique over all sources.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from ...compiler.estimating.facts import Moments
from ..gather import LANE_BITS
from ..rows import ORDER
from .moments import moments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .moments import Array

WEIGHT, THERE, CLUSTER, RANK, PLACE = "_weight", "_there", "_cluster", "_rank", "_place"
OWN = (WEIGHT, THERE, CLUSTER, RANK, PLACE)
"""Columns that only a survey knows."""


def numbered(frame: pl.DataFrame, source: int, first: int) -> pl.DataFrame:
    """Rows as a source's sampler gives them, with their `_order` and clusters of their own.

    Args:
        frame: With `_cluster`, if the sampler says so.
        source: Number of the source.
        first: How many rows of it came before.
    """
    start = (source << LANE_BITS) + first
    order = pl.int_range(start, start + frame.height, dtype=pl.Int64).alias(ORDER)
    frame = frame.with_columns(order)
    if CLUSTER not in frame.columns:
        return frame.with_columns(order.alias(CLUSTER))
    return frame.with_columns(pl.col(CLUSTER).cast(pl.Int64) + (source << LANE_BITS))


@dataclass(frozen=True, slots=True)
class Extent:
    """How many rows a source has.

    Attributes:
        rows: By all that was drawn of it.
        drawn: Rows of it that the sample holds.
        early: By the first rows that were drawn, so that it never depends on how many follow.
    """

    rows: float
    drawn: int
    early: float


def weighted(frame: pl.DataFrame, sources: Mapping[int, Extent]) -> pl.DataFrame:
    """Rows with their weights and ranks.

    Args:
        frame: With `_order`.
        sources: By their numbers.
    """
    source = pl.col(ORDER) // (1 << LANE_BITS)
    each = {k: e.rows / max(e.drawn, 1) for k, e in sources.items()}
    count = {k: max(e.early, 1.0) for k, e in sources.items()}
    within = (pl.col(ORDER) % (1 << LANE_BITS)).cast(pl.Float64) + 0.5
    weight = source.replace_strict(each, default=1.0, return_dtype=pl.Float64)
    return frame.with_columns(
        weight.alias(WEIGHT),
        weight.alias(THERE),
        (within / source.replace_strict(count, default=1.0, return_dtype=pl.Float64)).alias(RANK),
    )


def ranked(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows in the order of the sample, those of a document together."""
    return frame.sort(RANK, ORDER, maintain_order=True)


def reweighed(part: pl.DataFrame, whole: pl.DataFrame) -> pl.DataFrame:
    """Rows that stand for those of a frame that they were taken from, source by source."""
    if part.height in (0, whole.height):
        return part
    source = (pl.col(ORDER) // (1 << LANE_BITS)).alias("source")

    def grown(column: str) -> pl.Expr:
        all_, here = (
            frame.group_by(source).agg(pl.col(column).sum().alias("sum")) for frame in (whole, part)
        )
        both = all_.join(here.filter(pl.col("sum") > 0), on="source")
        factor = dict(zip(both["source"], both["sum"] / both["sum_right"], strict=True))
        by_source = source.replace_strict(factor, default=1.0, return_dtype=pl.Float64)
        return (pl.col(column) * by_source).alias(column)

    return part.with_columns(grown(WEIGHT), grown(THERE))


def size_of(frame: pl.DataFrame) -> Array:
    """Bytes of the text columns of each row, Mashbill's own left out."""
    texts = [
        name
        for name, kind in frame.schema.items()
        if kind == pl.String and not name.startswith("_")
    ]
    if not texts:
        import numpy as np

        return np.zeros(frame.height)
    total = pl.sum_horizontal(pl.col(name).str.len_bytes().fill_null(0) for name in texts)
    return frame.select(total.cast(pl.Float64).alias("n"))["n"].to_numpy()


def moments_of(frame: pl.DataFrame, size: Array, outcomes: Mapping[str, Any]) -> Moments:
    """The moments of what became of rows, by their weights and clusters."""
    return moments(outcomes, size, frame[WEIGHT].to_numpy(), frame[CLUSTER].to_numpy())
