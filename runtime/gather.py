"""The stage of steps that look at all rows of a source row at once.

Rows arrive in the order in which they finish. Marks say of which source rows no more will come:
these are settled and sent on, so that no more is held than what is under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from .account import Account
from .channels import END, Inbox, Mark, Outlets
from .kernel import REASON
from .outcome import Outcome
from .rows import ORDER
from .stages import Assign, Divide, Observe, fitting, unchanged, undivided
from .voting.holes import Hole

if TYPE_CHECKING:
    from .refill import Refill

LANE_BITS = 56
"""`_order` begins with the number of its source, above so many bits."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Rows after a step that gathers, each in one of the frames.

    Attributes:
        kept: They go on.
        rejected: They do not, and `_reason` says why.
        waiting: They wait for draws that failed.
        pending: They wait for draws that a run that stops held back.
        accepted: `_order`s of source rows of which a row goes on.
    """

    kept: pl.DataFrame
    rejected: pl.DataFrame
    waiting: pl.DataFrame
    pending: pl.DataFrame
    accepted: frozenset[int]


Gather = Callable[[pl.DataFrame, Callable[[int], Hole | None]], Gathered]
"""All rows of some source rows, and the holes among them by `_order`."""


def no_holes(order: int) -> Hole | None:
    """Nothing is missing."""
    return None


@dataclass(slots=True)
class GatherStage:
    """Holds rows until all of their source row are there, and settles them."""

    name: str
    account: Account
    kernel: Gather
    before: Assign = unchanged
    after: Assign = unchanged
    divide: Divide = undivided
    holes: Callable[[int], Hole | None] = no_holes
    observe: Observe = lambda *_: None
    refill: Refill | None = None
    inbox: Inbox = field(default_factory=Inbox)
    outlets: Outlets = field(default_factory=Outlets)
    _held: list[pl.DataFrame] = field(default_factory=list)

    async def run(self) -> None:
        """Settle source rows as they become complete, and the rest at the end."""
        while (item := await self.inbox.next()) is not None:
            if isinstance(item, Mark):
                await self._settle(item)
                await self.outlets.mark(item)
            else:
                await self._take(item)
        await self._settle(None)
        await self.outlets.end()

    async def _take(self, frame: pl.DataFrame) -> None:
        with fitting(self.name):
            meant, rest = self.divide(frame)
            meant = self.before(meant)
        self._held.append(meant)
        self.account.rows_in += meant.height
        self.account.pending += meant.height
        if rest is not None:
            self.account.rows_in += rest.height
            self.account.out += rest.height
            await self.outlets.put("", rest)

    async def _settle(self, mark: Mark | None) -> None:
        """Settle all rows up to a mark, or all."""
        orders = None
        if self.refill is not None and mark is not None and mark.lane == self.refill.lane:
            orders = self.refill.through(mark.place)
        if self._held:
            with fitting(self.name):
                held = pl.concat(self._held, how="diagonal_relaxed")
            through = _through(mark, orders)
            ready = held if through is None else held.filter(through)
            self._held = [] if through is None else [held.filter(~through)]
            self._held = [frame for frame in self._held if frame.height]
        else:
            ready = pl.DataFrame()
        accepted = await self._send(ready) if ready.height else frozenset[int]()
        if self.refill is not None and orders is not None:
            waiting = {o for o in orders if o not in accepted and self.holes(o) is not None}
            self.refill.settle(orders, accepted, waiting)

    async def _send(self, ready: pl.DataFrame) -> frozenset[int]:
        found = await asyncio.to_thread(self._gathered, ready, self.holes)
        await self.outlets.put("", found.kept)
        await self.outlets.put("rejected", found.rejected)
        for row in found.waiting.iter_rows(named=True):
            self.observe(self.name, row, (Outcome("error", (row,), WAITS, _WAITING),))
        if found.waiting.height:
            await self.outlets.put("errors", found.waiting.with_columns(_WAITS.alias(REASON)))
        account = self.account
        account.pending -= ready.height - found.pending.height
        account.out += found.kept.height
        if found.waiting.height:
            account.errors[WAITS] += found.waiting.height
        account.rejected.update(found.rejected[REASON].to_list())
        return found.accepted

    def _gathered(self, frame: pl.DataFrame, holes: Callable[[int], Hole | None]) -> Gathered:
        with fitting(self.name):
            found = self.kernel(frame, holes)
            return Gathered(
                self.after(found.kept),
                found.rejected,
                found.waiting,
                found.pending,
                found.accepted,
            )

    def apply(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame | None]:
        """Settle a frame that is the whole, as `MapStage.apply` maps one. Raises `MisfitError`."""
        with fitting(self.name):
            meant, rest = self.divide(frame)
            found = self._gathered(self.before(meant), no_holes)
            kept = found.kept
            if rest is not None:
                kept = pl.concat([kept, rest], how="diagonal_relaxed")
        return kept, found.rejected


WAITS = "waits"
"""Why a group with a hole is an error."""
_WAITS = pl.lit(WAITS)
_WAITING: Mapping[str, Any] = {"message": "another draw of this row failed; run again to have it"}


def _through(mark: Mark | None, orders: frozenset[int] | None) -> pl.Expr | None:
    """Whether a row is through; None for all."""
    if mark is None:
        return None
    order = pl.col(ORDER)
    if orders is not None:
        return order.is_in(sorted(orders))
    first = mark.lane << LANE_BITS
    last = first + (1 << LANE_BITS) - 1 if mark.place == END else mark.place
    return order.is_between(first, last)
