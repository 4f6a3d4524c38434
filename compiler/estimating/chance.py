"""The chance in an estimate: replicates of standard normals, a stream by name.

Each source of uncertainty (a *driver*) draws from a stream of its own, so that an estimate is the
same each time, and freezing one driver leaves all others as they were. Draws are stratified (Latin
hypercube sampling, McKay, Beckman and Conover 1979): the mean of a replicated number is then nearly
that of its distribution, at a few thousand replicates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from statistics import NormalDist
from typing import TYPE_CHECKING, TypeAlias

from .numbers import UNKNOWN, Basis, Number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]

REPLICATES = 2000
LOW, HIGH = 0.05, 0.95
"""Ends of the 90 % interval."""
SURELY = 1.6
"""How much further than the furthest replicate lies what stands for the most that can be: about
five standard deviations from what is expected."""


@cache
def _normals() -> Array:
    """One standard normal of each stratum, in order; they add up to zero."""
    import numpy as np

    normal = NormalDist()
    return np.array([normal.inv_cdf((k + 0.5) / REPLICATES) for k in range(REPLICATES)])


@dataclass(frozen=True, slots=True)
class Driver:
    """One source of uncertainty.

    Attributes:
        step: A step, source or model.
        what: What of it is uncertain: `Leverage.what`.
        basis: Where its number came from.
        rows: Rows of the sample that it rests on; 0 where it rests on none.
    """

    step: str
    what: str
    basis: Basis
    rows: int = 0

    @property
    def key(self) -> str:
        """Its name among all."""
        return f"{self.step}\0{self.what}"


@dataclass(slots=True)
class Chance:
    """Draws for one estimate.

    Attributes:
        scale: Factor on the spread of drivers by key: 0 freezes one.
        drivers: All that were drawn from, with the first of their normals.
    """

    scale: Mapping[str, float] = field(default_factory=dict)
    drivers: dict[str, tuple[Driver, Array]] = field(default_factory=dict)

    def normals(self, driver: Driver, count: int = 1, degrees: float | None = None) -> Array:
        """Standard normals, `(count, REPLICATES)`; Student's t where degrees of freedom are few."""
        import numpy as np

        seed = hashlib.blake2b(driver.key.encode(), digest_size=8).digest()
        rng = np.random.Generator(np.random.PCG64(int.from_bytes(seed, "big")))
        drawn = np.stack([rng.permutation(_normals()) for _ in range(count)])
        if degrees is not None and degrees < 200:
            freedom = max(degrees, 2.0)
            # Capped: a sample of three rows says little, but not that a total may be a thousandfold
            tails = np.sqrt(freedom / rng.chisquare(freedom, REPLICATES))
            drawn = drawn * np.minimum(tails, 4.0)
        self.drivers.setdefault(driver.key, (driver, drawn[0]))
        return drawn * self.scale.get(driver.key, 1.0)

    def around(self, driver: Driver, value: float, spread: float) -> Array:
        """A positive number whose mean is `value` and whose logarithm has this spread."""
        import numpy as np

        if not spread:
            return np.full(REPLICATES, float(value))
        left = spread * self.scale.get(driver.key, 1.0)
        drawn = spread * self.normals(driver)[0] - left * left / 2
        return np.asarray(value * np.exp(drawn))

    def share(self, driver: Driver, logit: float, spread: float) -> Array:
        """A share whose logit has this mean and spread."""
        import numpy as np

        return np.asarray(1 / (1 + np.exp(-(logit + spread * self.normals(driver)[0]))))


def number(values: Array | None, basis: Basis) -> Number:
    """What replicates come to."""
    import numpy as np

    if values is None:
        return UNKNOWN
    low, high = (rounded(float(q)) for q in np.quantile(values, [LOW, HIGH]))
    mean = rounded(float(values.mean()))
    if high - low <= 1e-9 * max(abs(mean), 1e-300):
        return Number(mean, basis)
    return Number(mean, basis, low, high)


def surely(values: Array) -> float:
    """The most that a number with such replicates can be; itself, where it is certain."""
    mean = float(values.mean())
    return mean + SURELY * (float(values.max()) - mean)


def rounded(value: float) -> float:
    """To nine digits: what summing leaves behind them is no part of a number."""
    return float(f"{value:.9g}")


def full(value: float) -> Array:
    """A number without uncertainty."""
    import numpy as np

    return np.full(REPLICATES, float(value))
