"""One cap, how much of it is gone, and who waits for room under it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .amounts import NO_LIMIT

if TYPE_CHECKING:
    from .reservation import Reservation

SHARE = 50
"""Permission is taken in strides of a 50th of a cap …"""
GROWTH = 20
"""… or, where there is none, of a 20th of what is spent: so it is written seldom, ever."""
STEPS = 64
"""Requests, at their worst, that a stride without a cap covers at least."""


@dataclass(slots=True)
class Waiter:
    """A request that waits for room."""

    reservation: Reservation
    future: asyncio.Future[None]


@dataclass(slots=True, eq=False)
class Gauge:
    """One kind of spending, of the run or of a step; `limit` is `NO_LIMIT` where nothing caps it.

    Attributes:
        path: What the user writes: `budget.tokens`, `budget.steps.book.usd`.
        kind: One of `KINDS`, in whose units all numbers are.
        limit: Never above this.
        carried: What earlier runs of the same data set have spent.
        spent: What is settled, `carried` included.
        taken: That, and what is reserved.
        mark: What the disk says may be taken.
        stride: How far ahead of `taken` the next mark goes at least.
        queue: Who waits for room under this cap, by order of arrival.
    """

    path: str
    kind: str
    limit: int = NO_LIMIT
    carried: int = 0
    spent: int = 0
    taken: int = 0
    mark: int = 0
    stride: int = 0
    queue: list[tuple[int, Waiter]] = field(default_factory=list)

    def start(self, carried: int) -> None:
        """Begin where earlier runs ended."""
        self.carried = self.spent = self.taken = self.mark = carried

    def outgrow(self, need: int) -> None:
        """Note a request that went past the mark."""
        self.stride = max(self.stride, need if self.limit < NO_LIMIT else STEPS * need)

    def next_mark(self) -> int:
        """Where permission may end next: ahead of what is taken, never above the cap."""
        share = self.limit // SHARE if self.limit < NO_LIMIT else self.taken // GROWTH
        return max(self.taken, min(self.limit, self.taken + max(share, self.stride)))

    @property
    def step(self) -> str | None:
        """The step that it caps; None for the run."""
        parts = self.path.split(".")
        return parts[2] if len(parts) == 4 else None
