"""A number of a plan: its value, its 90 % interval, and where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Basis = Literal["e", "s", "p", "h", "a", "?"]
BASES: Mapping[str, str] = {
    "e": "exact",
    "s": "sampled",
    "p": "pilot",
    "h": "earlier runs",
    "a": "assumed",
    "?": "unknown",
}
_STRENGTHS: tuple[Basis, ...] = ("e", "p", "s", "h", "a", "?")


def weakest(*bases: Basis) -> Basis:
    """The weakest of several bases; exact for none."""
    return _STRENGTHS[max(map(_STRENGTHS.index, bases), default=0)]


@dataclass(frozen=True, slots=True)
class Number:
    """A number and where it came from: the weakest of what it was made of.

    Attributes:
        value: What is expected; None where it is not known.
        basis: Where it came from.
        low: Its 5th percentile; None where the value is exact or not known.
        high: Its 95th percentile, likewise.
    """

    value: float | None
    basis: Basis
    low: float | None = None
    high: float | None = None

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return self.value is not None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Low and high; None where there is nothing between them."""
        if self.low is None or self.high is None or self.low == self.high:
            return None
        return self.low, self.high


UNKNOWN = Number(None, "?")
NOTHING = Number(0.0, "e")
