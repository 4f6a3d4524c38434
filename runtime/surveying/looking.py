"""Which rows a step on single rows is looked at with, and what the ledger says of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from ..faults import MisfitError
from ..pipeline import assignments, divided
from ..rows import ORDER
from ..stages import fitting
from .arriving import Reaching
from .effort import Patience
from .replies import UNKNOWN, Found
from .weights import RANK, THERE, WEIGHT, ranked, reweighed, size_of

if TYPE_CHECKING:
    from ...compiler.plan import PlanNode
    from .moments import Array
    from .replies import Replies

ROWS = 1_000
"""Rows that a step looks at, and looks at more where the ledger holds the replies of all these …"""
MOST_ROWS = 4_000
"""… but never at more than so many."""
SECONDS, MORE_SECONDS = 6.0, 1.0
"""After so much work, a step does with the rows that it has looked at; with more than enough, after
so much."""
FIRST, BLOCK = 8, 100
"""Rows until the first look at how it goes, and between two further ones at most."""
PROBE_SECONDS = 0.5
"""Of work, for a look at what lies behind these; there are some ten."""
UNPAID = 32
"""Rows in a row that nobody has paid for, from which on there are none that somebody has."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """What the ledger holds behind the rows that were looked at, which are all settled.

    Attributes:
        rows: Rows of the sample, from its beginning, of which most are settled.
        share: Of those behind them, how many are.
    """

    rows: int
    share: float


@dataclass(frozen=True, slots=True)
class Looked:
    """Rows that were looked at: those a step applies to, and those that its `when:` lets pass.

    Attributes:
        meant: The former, in the order of the sample, as they reached the step.
        rows: The same, its `set:` done.
        rest: The latter; None where there is no `when:`.
        found: What the ledger says of each of `rows`; empty where nobody can say, or not in time.
        everything: Whether these are all rows of the sample that reach the step.
        beyond: Where all of `rows` are settled and there are more: see `Beyond`.
    """

    meant: pl.DataFrame
    rows: list[dict[str, Any]]
    rest: pl.DataFrame | None
    found: list[Found]
    everything: bool
    beyond: Beyond | None = None

    @property
    def passed(self) -> int:
        """How many rows pass as they come."""
        return 0 if self.rest is None else self.rest.height

    @property
    def both(self) -> pl.DataFrame:
        """All rows: those that the step applies to come first."""
        if self.rest is None:
            return self.meant
        return pl.concat([self.meant, self.rest], how="diagonal_relaxed")

    @property
    def size(self) -> Array:
        """Bytes of the text columns of each of `meant`."""
        return size_of(self.meant)

    def first(self, rows: int) -> Looked:
        """The first so many of `meant`, and what passed before the last of them.

        They stand for all, source by source.
        """
        if rows >= self.meant.height:
            return self
        part, rest = self.meant.head(rows), self.rest
        last = part.tail(1)
        if rest is not None and last.height:
            at, order = last[RANK][0], last[ORDER][0]
            later = (pl.col(RANK) == at) & (pl.col(ORDER) > order)
            rest = rest.filter(~((pl.col(RANK) > at) | later))
        cut = Looked(part, self.rows[:rows], rest, self.found[:rows], False)
        weights = reweighed(cut.both, self.both).select(WEIGHT, THERE)
        return Looked(
            part.with_columns(weights.head(rows)),
            cut.rows,
            None if rest is None else rest.with_columns(weights.slice(rows)),
            cut.found,
            False,
            self.beyond,
        )


async def look(node: PlanNode, reaching: Reaching, replies: Replies) -> Looked:
    """Look at rows in the order of the sample, until there are enough.

    Raises:
        MisfitError: The step does not fit the rows.
    """
    meant, rest = _divided(node, ranked(reaching.frame), reaching.assumed, replies)
    blind = reaching.assumed and node.model is None  # nobody has written what is to be judged
    before = _before(node, meant.head(whole_documents(meant, MOST_ROWS)), reaching, replies)
    rows, found = list[dict[str, Any]](), list[Found]()
    beyond, patience, begun = None, Patience(SECONDS), replies.effort.spent
    if not blind:
        rows, found = await _settled(node, before, replies, patience)
    pace = len(found) / max(replies.effort.spent - begun, 1e-9)
    if not found:
        rows = before.head(whole_documents(meant, ROWS)).rows(named=True)
    elif node.asked and len(found) < meant.height and all(f.settled for f in found):
        size = min(BLOCK, max(FIRST, round(pace * PROBE_SECONDS)))
        try:
            async with patience.limit():
                beyond = await _beyond(node, meant, len(found), size, reaching, replies)
        except TimeoutError:
            replies.hurried.add(node.name)
    return Looked(meant, rows, rest, found, True, beyond).first(len(rows))


async def _settled(
    node: PlanNode, frame: pl.DataFrame, replies: Replies, patience: Patience
) -> tuple[list[dict[str, Any]], list[Found]]:
    """Rows, and what the ledger says of them."""
    op, begun = replies.op(node), replies.effort.spent
    rows: list[dict[str, Any]] = []
    found: list[Found] = []
    size = FIRST
    while len(found) < frame.height:
        stop = whole_documents(frame, len(found) + size)
        part = frame.slice(len(found), stop - len(found)).rows(named=True)
        try:
            async with patience.limit():
                new = await replies.settle(op, part)
        except TimeoutError:
            replies.hurried.add(node.name)
            break
        replies.effort.stepping(node, part)
        rows, found = rows + part, found + new
        enough, spent = len(found) >= ROWS, replies.effort.spent - begun
        left = (MORE_SECONDS if enough else SECONDS) - spent
        if left < 0:
            break
        size = min(BLOCK, max(FIRST, int(left * len(found) / max(spent, 1e-9))))
        if enough and not (node.asked and all(f.settled for f in found)):
            break
        latest = found[-max(UNPAID, len(new)) :]
        unpaid = len(latest) >= UNPAID and not any(f.settled and f.asks for f in latest)
        if node.model is not None and unpaid:
            # Nobody has paid for any of so many rows, nor then for those behind them.
            stop = whole_documents(frame, ROWS)
            rows += frame.slice(len(found), max(0, stop - len(found))).rows(named=True)
            found += [UNKNOWN] * (len(rows) - len(found))
            break
    return rows, found


async def _beyond(
    node: PlanNode,
    meant: pl.DataFrame,
    settled: int,
    size: int,
    reaching: Reaching,
    replies: Replies,
) -> Beyond:
    """Find how far the ledger holds replies of rows in their order, by bisection.

    Rows of a pilot are the first; those of a run are spread over all.

    Args:
        node: The step.
        meant: Rows that it applies to.
        settled: How many are known to be settled, from the first on.
        size: Rows that are tried at a time.
        reaching: What reaches the step.
        replies: The ledger's.
    """
    op = replies.op(node)

    async def held(at: int) -> float:
        part = _before(node, meant.slice(at, size), reaching, replies).rows(named=True)
        asking = [f.settled for f in await replies.settle(op, part) if f.asks]
        return sum(asking) / len(asking) if asking else 1.0

    low, high = settled, max(settled, meant.height - size)
    last = await held(high)
    if last == 1.0:
        return Beyond(meant.height, 1.0)
    while high - low > size:
        middle = (low + high) // 2
        if await held(middle) >= (1 + last) / 2:
            low = middle
        else:
            high = middle
    # The place lies in one of the two blocks from here on.
    through = await held(low) + await held(min(low + size, meant.height - size))
    return Beyond(low + round(size * max(0.0, through - 2 * last)), last)


def _divided(
    node: PlanNode, frame: pl.DataFrame, assumed: bool, replies: Replies
) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    try:
        with fitting(node.name):
            return divided(node, replies.count)(frame)
    except MisfitError:
        if not assumed:
            raise
        return frame, None  # it reads what a model has not written yet


def _before(
    node: PlanNode, frame: pl.DataFrame, reaching: Reaching, replies: Replies
) -> pl.DataFrame:
    before, _ = assignments(node, replies.count)
    try:
        with fitting(node.name):
            return before(frame)
    except MisfitError:
        if not reaching.assumed:
            raise
        return frame


def whole_documents(frame: pl.DataFrame, rows: int) -> int:
    """So many rows of a frame in order, and what is left of the last one's document."""
    if rows >= frame.height:
        return frame.height
    orders = frame[ORDER]
    while rows < frame.height and orders[rows] == orders[rows - 1]:
        rows += 1
    return rows
