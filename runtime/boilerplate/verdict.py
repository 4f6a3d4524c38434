"""The chance of each line of being main text: first by itself, then among its neighbours.

The second look at the neighbours sees what the first one made of them. Features are weighted by a
logistic regression, fitted by `tests/benchmarks/clean.py --fit`.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from .context import place
from .lines import measure
from .phrases import FAMILIES
from .weights import ALONE, PLACED, SETTLED

CONSTANT = "constant"
"""Name of the weight that has no feature."""

BUTTONS = ("consent", "legal", "subscribe", "share", "more", "shop", "byline")
"""A short line of these families that is no sentence is dropped even amid main text.

On the pages it was fitted on this costs no token F1 (0.816 with and without), and it spares a
reader the buttons between two paragraphs.
"""

_TOGETHER = 16


def judge(lines: pl.DataFrame) -> pl.Series:
    """The chance of each line of being main text, 0 to 1.

    Args:
        lines: `row` (the page; its lines together and in order) and `line` (not blank).
    """
    judged = chance(measure(lines.rechunk()), ALONE)
    for weights in (PLACED, SETTLED):
        judged = chance(place(judged), weights)
    return judged.select(_adjusted()).to_series()


def _adjusted() -> pl.Expr:
    """The chance, after two rules for short pages, which the fitted weights know little of."""
    own, ends = pl.col("chance"), pl.col("ends") > 0
    button = pl.any_horizontal(pl.col(f"{family}_short") > 0 for family in BUTTONS)
    plain = pl.all_horizontal(pl.col(family) == 0 for family in FAMILIES)
    beside = pl.max_horizontal(own.shift(1).over("row"), own.shift(-1).over("row"))
    return (
        pl.when(button & ~ends)
        .then(0.0)
        # The last paragraph before a footer looks like half main text, half footer.
        .when(plain & ends & (pl.col("words") >= 9))
        .then(pl.max_horizontal(own, (own + beside) / 2))
        .otherwise(own)
        .alias("chance")
    )


def chance(lines: pl.DataFrame, weights: Mapping[str, float]) -> pl.DataFrame:
    """Set `chance` to the logistic function of weighted features."""
    names = [n for n in weights if n != CONSTANT]
    odds = pl.repeat(weights[CONSTANT], lines.height, dtype=pl.Float64, eager=True)
    # In groups, so that a page of a million lines does not hold every product at once.
    for start in range(0, len(names), _TOGETHER):
        terms = [pl.col(n) * weights[n] for n in names[start : start + _TOGETHER]]
        odds = odds + lines.select(pl.sum_horizontal(terms).cast(pl.Float64)).to_series()
    return lines.with_columns((1 / (1 + (-odds).exp())).alias("chance"))
