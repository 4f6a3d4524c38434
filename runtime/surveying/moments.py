"""What becomes of a row, from a weighted sample of rows: means, slopes and their covariance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...compiler.estimating.facts import Moments

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]
    Places = npt.NDArray[np.intp]

FEWEST = 8
"""Rows below which no slope is fitted."""
SIGNIFICANT = 3.0
"""Student's t of a slope below which it is taken to be 0."""


def moments(outcomes: Mapping[str, Any], size: Any, weight: Any, cluster: Any) -> Moments:
    """Weighted means, slopes on the size of rows, and the covariance of the means of residuals.

    Rows of one cluster were drawn together, so that only clusters are independent (Särndal,
    Swensson and Wretman 1992, §5.6 and §6.6). The covariance is that of leaving out one cluster
    after the other, by way of their leverages (Bell and McCaffrey 2002, CR3); clusters of unequal
    weight count as their effective number, Kish's `(Σw)² / Σw²`.

    Args:
        outcomes: By name, a number for each of n rows.
        size: (n,) bytes of each row.
        weight: (n,) rows that each stands for; positive.
        cluster: (n,) integers; rows that were drawn together have the same.

    Returns:
        The moments; with a single cluster the covariance is 0 and so are the degrees of freedom.
        Without rows, all are 0.
    """
    import numpy as np

    names = tuple(outcomes)
    x = np.asarray(size, np.float64)
    rows = len(x)
    if not rows:
        none = tuple(0.0 for _ in names)
        return Moments(0, 0.0, 0.0, names, none, none, tuple(none for _ in names))
    w = np.asarray(weight, np.float64)
    w = w / w.sum()
    y = np.array([np.asarray(outcomes[n], np.float64) for n in names]).reshape(len(names), rows)
    labels, place = np.unique(np.asarray(cluster), return_inverse=True)
    share = np.bincount(place, w, len(labels))
    effective = float(1 / np.sum(share**2))
    at = float(w @ x)
    mean = y @ w
    moved = x - at
    slope, sure = _slopes(y - mean[:, None], moved, w, place, len(labels), effective)
    slope = np.where(sure, slope, 0.0)
    left = y - mean[:, None] - slope[:, None] * moved
    sums = _by_cluster(left * w, place, len(labels))
    # What a cluster of much weight, or of a size far off, leaves unexplained is small since it has
    # drawn the line to itself.
    spread = max(float(w @ moved**2), 1e-300)
    pull = w * np.where(sure[:, None], 1 + moved**2 / spread, 1.0)
    sums = sums / np.clip(1 - _by_cluster(pull, place, len(labels)), 0.1, None)
    cov = sums @ sums.T * (1 - 1 / effective)
    return Moments(
        rows,
        max(effective - 1, 0.0),
        at,
        names,
        tuple(map(float, mean)),
        tuple(map(float, slope)),
        tuple(tuple(map(float, line)) for line in cov),
    )


def _slopes(
    y: Array, x: Array, w: Array, place: Places, clusters: int, effective: float
) -> tuple[Array, Array]:
    """Least squares of centred outcomes on centred sizes, and whether each slope is significant."""
    import numpy as np

    spread = float(w @ x**2)
    none = np.zeros(len(y))
    if len(x) < FEWEST or effective < FEWEST or spread <= 0:
        return none, none.astype(bool)
    slope = (y * w) @ x / spread
    sums = _by_cluster((y - slope[:, None] * x) * x * w, place, clusters)
    error = np.sqrt(np.sum(sums**2, axis=1) * effective / (effective - 2)) / spread
    return slope, np.abs(slope) > SIGNIFICANT * error


def _by_cluster(values: Array, place: Places, clusters: int) -> Array:
    """(outcomes, rows) to (outcomes, clusters)."""
    import numpy as np

    found = [np.bincount(place, line, clusters) for line in values]
    return np.array(found, np.float64).reshape(len(values), clusters)
