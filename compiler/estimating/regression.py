"""Totals over all rows, from what a sample of them showed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .chance import Chance, Driver
from .facts import Moments

if TYPE_CHECKING:
    from .chance import Array

WIDEST = 1.2
"""Spread of the logarithm that a total is given at most: a few rows say no more than its order."""
ONE_ROW = 0.7
"""The same where a single row was seen."""


def totals(
    seen: Moments,
    rows: Array,
    size: Array,
    chance: Chance,
    driver: Driver,
    *,
    factor: float = 1.0,
    unsure: Sequence[str] = (),
    corrections: Mapping[str, tuple[float, float]] | None = None,
) -> dict[str, Array]:
    """Totals of all outcomes over rows of a size.

    The noise is drawn for all outcomes together, on the logarithm, so that no total is negative.

    Args:
        seen: By row.
        rows: How many there are.
        size: Their bytes.
        chance: Draws.
        driver: Whose noise it is.
        factor: On the variance: what is left of it in a finite population, or what its unseen part
            adds.
        unsure: Outcomes that keep a little noise even where all sampled rows agree: what passed 64
            times of 64 may still fail.
        corrections: By outcome, a factor on the mean and one on the spread: what earlier runs say.
    """
    import numpy as np

    mean = np.array(seen.mean)
    slope = np.array(seen.slope)
    excess = size - rows * seen.size
    means = {}
    centre = np.maximum(mean, 1e-12)
    relative = np.array(seen.cov) / np.outer(centre, centre) * max(factor, 0.0)
    relative[mean <= 0, :] = relative[:, mean <= 0] = 0.0
    if seen.rows <= 1 and factor > 0:
        relative = np.where(np.outer(mean > 0, mean > 0), ONE_ROW**2, 0.0)
    for i, name in enumerate(seen.names):
        if name in unsure and mean[i] > 0 and factor > 0:
            floor = (0.5 / (seen.rows + 1)) ** 2 * factor
            relative[i, i] = max(relative[i, i], floor)
    noise = _noise(relative, chance, driver, seen.degrees)
    for i, name in enumerate(seen.names):
        base = rows * mean[i] + slope[i] * excess
        # Far from the sample's mean size the line may lead below zero.
        base = np.maximum(base, 0.2 * rows * mean[i]) if mean[i] > 0 else base
        shift, width = (corrections or {}).get(name, (1.0, 1.0))
        spread = noise[i] * width
        variance = float(np.var(spread))
        means[name] = base * shift * np.exp(spread - variance / 2)
    return means


def _noise(relative: Array, chance: Chance, driver: Driver, degrees: float) -> Array:
    """Normals of a covariance, which need not have full rank.

    By its symmetric root: eigenvectors alone turn with the smallest change of a covariance, and
    two plans that are compared would draw differently.
    """
    import numpy as np

    count = relative.shape[0]
    if not relative.any():
        return np.zeros((count, chance.normals(driver).shape[1]))
    values, vectors = np.linalg.eigh(relative)
    root = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    drawn = root @ chance.normals(driver, count, degrees)
    spread = np.sqrt(np.clip(np.diag(relative), 0.0, None))
    capped = np.minimum(1.0, WIDEST / np.maximum(spread, 1e-12))
    return np.asarray(drawn * capped[:, None])


def shrunk(seen: float, variance: float, prior: float, spread: float) -> tuple[float, float]:
    """What a mean is multiplied with, and its spread, where earlier runs say something too.

    Both are taken as normal on the logarithm, and weighed by their precision.

    Args:
        seen: The mean of the sample.
        variance: Of its logarithm.
        prior: What earlier runs showed.
        spread: Standard deviation of the logarithm from run to run.
    """
    import math

    if seen <= 0 or prior <= 0 or spread <= 0:
        return 1.0, 1.0
    weight = variance / (variance + spread * spread)
    return math.exp(weight * (math.log(prior) - math.log(seen))), math.sqrt(1 - weight)
