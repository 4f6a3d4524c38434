"""Synthetic rows whose totals are known, and samples of them, for estimates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mashbill.compiler.estimating.facts import Moments, NodeFacts

Array = NDArray[np.float64]


def moments(outcomes: Mapping[str, Array], size: Array) -> Moments:
    """Moments of a simple random sample, worked out by the book: regression on size, residuals."""
    n = len(size)
    centred = size - size.mean()
    square = float(centred @ centred)
    means, slopes, residuals = [], [], []
    for values in outcomes.values():
        slope = float(centred @ values) / square if square else 0.0
        means.append(float(values.mean()))
        slopes.append(slope)
        residuals.append(values - values.mean() - slope * centred)
    cov = np.atleast_2d(np.cov(np.array(residuals))) / n
    return Moments(
        n,
        n - 1,
        float(size.mean()),
        tuple(outcomes),
        tuple(means),
        tuple(slopes),
        tuple(tuple(float(v) for v in row) for row in cov),
    )


def still(rows: int, size: float, **means: float) -> Moments:
    """Moments of rows that are all alike."""
    zero = tuple(0.0 for _ in means)
    return Moments(
        rows, rows - 1, size, tuple(means), tuple(means.values()), zero, tuple(zero for _ in means)
    )


def asked(rows: int, size: float, *, whole: bool = False, **means: float) -> NodeFacts:
    """What the sample showed of a step that asks a model, all rows alike."""
    given = {"passed": 0.0, "units": 1.0, "prompt": 0.0, **means}
    return NodeFacts(rows_in=rows, whole=whole, reached=still(rows, size, **given))
