"""Source rows let into a chain of steps one after the other, until enough have come out of it.

"4,000 accepted rows" of a step that rejects most of what it is given: the chain is fed in the order
of `_doc`, and never with more rows than could still be needed, whatever becomes of those under way.
So what is accepted is the shortest prefix of candidates that holds enough, in whatever order they
finish, and no call is made for a row behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field

import polars as pl

from .account import Account
from .channels import END, Inbox, Mark, Outlets
from .rows import ORDER
from .stages import hold_first


@dataclass(slots=True)
class Refill:
    """What the end of a chain tells its beginning.

    Attributes:
        lane: Of the marks that say which rows are through.
        wanted: Source rows that are to be accepted.
        candidates: The most that may be let in.
    """

    lane: int
    wanted: int
    candidates: int
    _let_in: list[int] = field(default_factory=list)
    """`_order`s in the order in which they were let in."""
    _through: int = 0
    _under_way: int = 0
    _accepted: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def let_in(self, orders: Collection[int]) -> Mark:
        """Note rows that are let in; the mark that follows them."""
        self._let_in += orders
        self._under_way += len(orders)
        return Mark(self.lane, len(self._let_in))

    def through(self, place: int) -> frozenset[int]:
        """The rows let in since the last mark and up to this one."""
        last = len(self._let_in) if place == END else place
        found = frozenset(self._let_in[self._through : last])
        self._through = last
        return found

    def settle(
        self, orders: Collection[int], accepted: Collection[int], waiting: Collection[int]
    ) -> None:
        """Note what became of rows. One that waits keeps its place: it may yet be accepted."""
        self._under_way -= len(orders)
        self._accepted += len({*accepted, *waiting}.intersection(orders))
        self._changed.set()

    async def room(self) -> int:
        """How many rows to let in next; 0 once there are enough."""
        while (room := self.wanted - self._accepted - self._under_way) <= 0:
            if self._accepted >= self.wanted:
                return 0
            self._changed.clear()
            await self._changed.wait()
        return room


@dataclass(slots=True)
class FeedStage:
    """Holds the candidates, the first rows by `_doc`, and lets them in as there is room."""

    name: str
    account: Account
    refill: Refill
    inbox: Inbox = field(default_factory=Inbox)
    outlets: Outlets = field(default_factory=Outlets)

    async def run(self) -> None:
        """Read all rows, then feed the chain with the first of them."""
        most = self.refill.candidates
        best = await hold_first(self.name, self.inbox, self.account, most, reason="candidates")
        if best is not None:
            await self._feed(best)
        await self.outlets.end()

    async def _feed(self, rows: pl.DataFrame) -> None:
        at, account = 0, self.account
        while at < rows.height and (room := await self.refill.room()):
            part = rows.slice(at, room)
            at += part.height
            # The step behind counts these as its own.
            account.rows_in -= part.height
            account.pending -= part.height
            mark = self.refill.let_in(part[ORDER].to_list())
            await self.outlets.put("", part)
            await self.outlets.mark(mark)
        if left := rows.height - at:
            account.rejected["enough"] += left
            account.pending -= left
