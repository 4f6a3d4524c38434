"""A cap that leaves no room for a request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .gauge import Gauge


class Exhausted(Exception):
    """A request does not fit under a cap, not even if all that is under way turned out free.

    Attributes:
        cap: What the user wrote: `budget.tokens`, `budget.steps.book.usd`.
        step: The step, if the cap is that of one step; others may go on.
        gauge: The numbers.
    """

    def __init__(self, gauge: Gauge, runs: Sequence[str] = ()) -> None:
        from .words import at_cap

        super().__init__(at_cap(gauge, runs))
        self.cap = gauge.path
        self.step = gauge.step
        self.gauge = gauge
