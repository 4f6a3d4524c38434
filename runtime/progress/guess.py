"""Two ways to know a total: what a plan said of it, and what has been seen of it so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...compiler.estimating.numbers import Number

NINETY = 1.6449
"""Standard deviations to each side of a 90 % interval."""
LEAST_SPREAD = 0.002
"""Of a plan that calls itself exact: it knows of no fault of engines or data."""
DOUBTED = 2.0
"""Standard deviations between plan and sight at which the plan begins to be doubted."""
FEWEST = 8
"""Batches below which what was seen says nothing of how far it is off."""
TREND = 3.0
"""Standard deviations between the halves of what was seen that show a trend."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A positive number, and the standard deviation of its logarithm."""

    value: float
    spread: float

    def number(self) -> Number:
        """As a number with its 90 % interval."""
        if not self.spread:
            return Number(self.value, "e")
        wide = math.exp(NINETY * self.spread)
        return Number(self.value, "p", self.value / wide, self.value * wide)


def planned(number: Number | None) -> Guess | None:
    """What a plan said; None where it knew nothing."""
    if number is None or number.value is None:
        return None
    low, high = number.low, number.high
    spread = 0.0
    if low is not None and high is not None and high > low:
        floor = max(low, number.value / 100, 1e-12)
        spread = math.log(max(high, floor) / floor) / (2 * NINETY)
    elif number.basis != "e":
        spread = _ASSUMED.get(number.basis, 1.0)
    return Guess(max(number.value, 0.0), max(spread, LEAST_SPREAD))


_ASSUMED = {"p": 0.1, "s": 0.1, "h": 0.25, "a": 0.5}
"""Spreads of numbers by basis, of plans that wrote no intervals."""


def weighed(plan: Guess | None, seen: Guess | None) -> Guess | None:
    """Both, weighed by their precision.

    A plan that lies far from what is seen, by both their uncertainties, is trusted less the farther
    it lies: it is what may be wrong.
    """
    if plan is None or seen is None:
        return seen or plan
    if plan.value <= 0 or seen.value <= 0 or seen.spread <= 0:
        return seen
    apart = math.log(seen.value / plan.value)
    before, sight = plan.spread**2, seen.spread**2
    before *= max(1.0, apart**2 / (before + sight) / DOUBTED**2)
    weight = before / (before + sight)
    value = plan.value * math.exp(weight * apart)
    return Guess(value, math.sqrt(before * sight / (before + sight)))


@dataclass(frozen=True, slots=True)
class Rate:
    """A ratio of sums over batches: calls a row, tokens a call.

    Attributes:
        value: The ratio.
        spread: Standard error of its logarithm, by how batches differ.
        trend: How far the later half lies from the earlier one, as a logarithm, beyond what
            chance explains.
    """

    value: float
    spread: float
    trend: float = 0.0


def rate(over: Sequence[float], under: Sequence[float]) -> Rate | None:
    """The ratio of two sums, batch by batch; None where too few batches say.

    The standard error is that of the ratio estimator (Cochran 1977, §6.4) with batches as units.
    """
    if len(over) < FEWEST or sum(under) <= 0 or sum(over) <= 0:
        return None
    value, spread = _ratio(over, under)
    half = len(over) // 2
    halves = [(over[:half], under[:half]), (over[half:], under[half:])]
    if any(sum(a) <= 0 or sum(b) <= 0 for a, b in halves):
        return Rate(value, spread)
    (first, one), (second, other) = (_ratio(a, b) for a, b in halves)
    trend = math.log(second / first)
    more = trend**2 - (TREND * math.hypot(one, other)) ** 2
    return Rate(value, spread, math.sqrt(max(more, 0.0)))


def _ratio(over: Sequence[float], under: Sequence[float]) -> tuple[float, float]:
    whole, count = sum(over), len(over)
    value = whole / sum(under)
    left = sum((y - value * x) ** 2 for y, x in zip(over, under, strict=True))
    return value, math.sqrt(left * count / (count - 1)) / whole


def extended(done: float, base: float, whole: Guess, found: Rate) -> Guess:
    """A sum so far, carried on to its end at the rate that was seen.

    What is done is known; what is left scatters by the rate's own error and by that of the rows to
    come. A trend may go on: then what is left is as unsure as the trend carried on to the end.

    Args:
        done: The sum so far.
        base: What it is a multiple of, so far.
        whole: The same at the end.
        found: The rate.
    """
    left = max(whole.value - base, 0.0)
    ahead = left * found.value
    total = done + ahead
    if total <= 0:
        return Guess(0.0, 0.0)
    error = found.spread * math.sqrt(1 + base / left) if left > 0 else 0.0
    if found.trend and base > 0:
        error = math.hypot(error, found.trend * (whole.value / base))
    grown = whole.value * found.value * whole.spread
    return Guess(total, math.hypot(ahead * error, grown) / total)


def summed(guesses: Sequence[Guess]) -> Guess:
    """Several together, taken to err each for itself."""
    whole = sum(g.value for g in guesses)
    if whole <= 0:
        return Guess(0.0, 0.0)
    return Guess(whole, math.hypot(*(g.value * g.spread for g in guesses)) / whole)
