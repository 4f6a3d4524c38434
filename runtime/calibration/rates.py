"""A share that was counted, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

Z95 = 1.959963984540054
"""Standard deviations that a 95 % interval reaches to either side."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many were kept of so many."""

    kept: int
    of: int

    @property
    def share(self) -> float | None:
        """Between 0 and 1; None where nothing was counted."""
        return self.kept / self.of if self.of else None

    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the share by Wilson's score, from (0, 1) where nothing was counted.

        Unlike the normal approximation it holds for few rows and for shares near 0 and 1, which is
        where a good check has them (E. B. Wilson, Journal of the American Statistical Association
        22, 1927).
        """
        if not self.of:
            return 0.0, 1.0
        share, z2 = self.kept / self.of, Z95**2
        middle = (share + z2 / (2 * self.of)) / (1 + z2 / self.of)
        spread = Z95 * sqrt(share * (1 - share) / self.of + z2 / (4 * self.of**2))
        spread /= 1 + z2 / self.of
        # At the ends the bound is exact; rounding must not push it past.
        low = 0.0 if self.kept == 0 else max(0.0, middle - spread)
        high = 1.0 if self.kept == self.of else min(1.0, middle + spread)
        return low, high
