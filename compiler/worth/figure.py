"""A number of what data is worth: its value, a band around it, and where it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from math import isfinite
from typing import Any

from ..estimating.numbers import BASES, Number


@dataclass(frozen=True, slots=True)
class Figure:
    """A number and where it came from.

    Attributes:
        value: What is expected; None where it is not known.
        low: The low end of its band; None where the value stands alone or is not known.
        high: The high end, likewise.
        origin: In words: `pilot`, `labelled.jsonl (63 good, 97 bad)`, `assumed`.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    origin: str = ""

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return self.value is not None

    @property
    def ends(self) -> tuple[float | None, float | None]:
        """Low and high, the value itself where it has no band."""
        low = self.value if self.low is None else self.low
        return low, self.value if self.high is None else self.high

    @property
    def band(self) -> tuple[float, float] | None:
        """Low and high; None where there is nothing between them."""
        if self.low is None or self.high is None or self.low == self.high:
            return None
        return self.low, self.high

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"value": self.value, "low": self.low, "high": self.high, "origin": self.origin}


UNKNOWN = Figure(None, origin="unknown")


def figure(number: Number | None) -> Figure:
    """An estimate as a figure."""
    if number is None or number.value is None:
        return UNKNOWN
    return Figure(number.value, number.low, number.high, BASES[number.basis])


def rising(f: Callable[..., float], *given: Figure, origin: str) -> Figure:
    """A function that rises in all its arguments, evaluated at their values and at both ends.

    The band holds what comes of all of them being low, or high, at once: it is at least as wide as
    that of independent ones.
    """
    values = [g.value for g in given]
    if any(v is None for v in values):
        return UNKNOWN
    lows, highs = ([g.ends[side] for g in given] for side in (0, 1))
    return Figure(f(*values), f(*lows), f(*highs), origin)


def added(given: Iterable[Figure], origin: str) -> Figure:
    """The sum; unknown if any of them is."""
    return rising(lambda *values: float(sum(values)), *given, origin=origin)


def corners(f: Callable[..., float | None], *given: Figure, origin: str) -> Figure:
    """A function that rises or falls in each argument, with the least and the most of its corners.

    Unknown where an argument is, or where the function has no value at the arguments' values;
    corners without one are left out.
    """
    known = [g.value for g in given]
    value = None if any(v is None for v in known) else f(*known)
    if value is None or not isfinite(value):
        return UNKNOWN
    tried = (f(*corner) for corner in product(*(g.ends for g in given)))
    found = [v for v in tried if v is not None and isfinite(v)]
    return Figure(value, min(value, *found), max(value, *found), origin)
