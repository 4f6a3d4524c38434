"""What is counted against a cap, in whole numbers: money is in 10⁻¹² dollars, time in ms.

Floats would round: after a million requests at $0.0000004 a token a sum of floats is off by more
than a token costs, and a cap that is off by a little is overshot by a little.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

RESERVED = ("requests", "input_tokens", "tokens", "usd")
"""What a request is held to before it is sent. `tokens` are those of the output."""
TIMED = ("gpu_hours", "wall")
"""What passes by itself; a cap on it is a deadline."""
KINDS = RESERVED + TIMED

PICO = 10**12
"""Parts of a dollar: $0.01 a million tokens is 10,000 of them a token."""
NO_LIMIT = 1 << 200
"""More than anything can come to."""

Amount = tuple[int, int, int, int]
"""Of each kind in `RESERVED`, in that order."""

_SCALES = {"usd": PICO, "gpu_hours": 3_600_000, "wall": 1_000}


def whole(kind: str, value: float) -> int:
    """A cap of the plan (dollars, hours, seconds, a count) in the units that are counted."""
    return int(_exact(value) * _SCALES.get(kind, 1))


def in_plan(kind: str, value: int) -> float:
    """What was counted, in the plan's units: dollars, hours, seconds, a count."""
    return value / _SCALES[kind] if kind in _SCALES else value


@dataclass(frozen=True, slots=True)
class Price:
    """What a token of a model costs, in 10⁻¹² dollars; rounded up where it is no whole number."""

    input: int = 0
    output: int = 0
    cached_input: int = 0

    @classmethod
    def of(cls, price: Mapping[str, Any]) -> Price:
        """Of a plan's `models.X.price`: dollars for `per` tokens."""
        per = int(price["per"])

        def each(dollars: float) -> int:
            return int((_exact(dollars) * PICO / per).to_integral_value(ROUND_CEILING))

        cached = price.get("cached_input")
        paid = each(price["input"])
        return cls(paid, each(price["output"]), paid if cached is None else each(cached))

    def worst(self, input_tokens: int, tokens: int) -> int:
        """The most that a request may cost."""
        return input_tokens * max(self.input, self.cached_input) + tokens * self.output

    def used(self, input_tokens: int, cached: int, tokens: int) -> int:
        """What a reply did cost; `cached` of its input tokens were known to the server."""
        return (
            (input_tokens - cached) * self.input + cached * self.cached_input + tokens * self.output
        )


FREE = Price()


def _exact(value: float) -> Decimal:
    """The decimal number that the recipe says, not the binary one that stands for it."""
    return Decimal(repr(value))
