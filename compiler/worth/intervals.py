"""How sure a counted share is."""

from __future__ import annotations

from math import sqrt

Z90 = 1.6448536269514722
"""Standard deviations that a 90 % interval reaches to either side, as all intervals of a plan."""


def wilson(kept: float, of: float, z: float) -> tuple[float, float]:
    """The interval of a share by Wilson's score, from (0, 1) where nothing was counted.

    Unlike the normal approximation it holds for few rows and for shares near 0 and 1, which is
    where a good check has them (E. B. Wilson, Journal of the American Statistical Association 22,
    1927).
    """
    if not of:
        return 0.0, 1.0
    share, z2 = kept / of, z**2
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    spread = z * sqrt(share * (1 - share) / of + z2 / (4 * of**2))
    spread /= 1 + z2 / of
    # At the ends the bound is exact; rounding must not push it past.
    low = 0.0 if kept == 0 else max(0.0, middle - spread)
    high = 1.0 if kept == of else min(1.0, middle + spread)
    return low, high
