"""The physical stages: each takes frames from its inbox and sends frames on, until its inbox ends.

Stages run side by side on one event loop. Columnar work runs in threads (polars releases the GIL),
model calls are awaited, checks run in worker processes; nothing waits for a batch.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import polars as pl

from .account import Account
from .budget import Breakers
from .channels import Inbox, Mark, Outlets
from .cohort import Cohort
from .faults import MisfitError
from .grouping import grouped
from .halt import Halt
from .kernel import REASON, Kernel
from .mishaps import outcome_of
from .outcome import Outcome
from .rows import ORDER
from .schemas import join_schemas
from .tab import open_tab
from .voting.holes import Holes

FLUSH_ROWS = 256
"""Finished rows that travel together at most …"""
FLUSH_SECONDS = 0.25
"""… and how long a finished row waits for others at most."""
MARK_ROWS = 1024
"""Rows of a source between two marks, where a step further on goes by marks."""
BYTES_UNDER_WAY = 64 << 20
"""Characters of text in the rows of one step that are under way, unless one row alone has more."""

ENDS = ("out", "routed", "rejected", "error", "pending")
"""How a row may end, the best first."""

Observe = Callable[[str, Mapping[str, Any], tuple[Outcome, ...]], None]


Assign = Callable[[pl.DataFrame], pl.DataFrame]
"""Adds the columns of a `set:` to a frame."""


def unchanged(frame: pl.DataFrame) -> pl.DataFrame:
    """No columns to add."""
    return frame


Divide = Callable[[pl.DataFrame], tuple[pl.DataFrame, pl.DataFrame | None]]
"""The rows that a step applies to, and those that pass as they came; None where all are meant."""


def undivided(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """A step without `when:` applies to all rows."""
    return frame, None


@contextmanager
def fitting(step: str) -> Iterator[None]:
    """Say of which step a frame's fault is. Raises `MisfitError`."""
    try:
        yield
    except (pl.exceptions.PolarsError, TypeError) as error:
        raise MisfitError(step, str(error)) from error


class RowOp(Protocol):
    """A built model step or check."""

    async def run(self, row: Mapping[str, Any]) -> tuple[Outcome, ...]:
        """What comes of a row. Raises `EngineError`."""
        ...


class Stage(Protocol):
    """Anything that the pipeline runs."""

    inbox: Inbox
    outlets: Outlets

    async def run(self) -> None:
        """Work until the inbox ends."""
        ...


@dataclass(slots=True)
class ScanStage:
    """Reads a source, partition by partition, in a thread."""

    account: Account
    partitions: Callable[[], Iterable[pl.DataFrame]]
    halt: Halt = field(default_factory=Halt)
    lane: int = 0
    """Of its marks."""
    inbox: Inbox = field(default_factory=Inbox)
    outlets: Outlets = field(default_factory=Outlets)

    async def run(self) -> None:
        """Send each partition on."""
        partitions = iter(self.partitions())
        while (frame := await asyncio.to_thread(next, partitions, None)) is not None:
            if self.halt.called:
                self.halt.unread = True
                break
            self.account.rows_in += frame.height
            self.account.out += frame.height
            await self._send(frame)
        await self.outlets.end()

    async def _send(self, frame: pl.DataFrame) -> None:
        if not self.outlets.marked:
            await self.outlets.put("", frame)
            return
        for part in frame.iter_slices(MARK_ROWS) if frame.height else ():
            await self.outlets.put("", part)
            await self.outlets.mark(Mark(self.lane, part[ORDER][-1]))


@dataclass(slots=True)
class LimitStage:
    """Keeps the first rows by `_doc`, ties by `_id`. Holds what it keeps and one frame.

    With `ties`, rows of the last document that equal each other in `_doc` are all kept.
    """

    name: str
    limit: int
    account: Account
    ties: bool = False
    inbox: Inbox = field(default_factory=Inbox)
    outlets: Outlets = field(default_factory=Outlets)

    async def run(self) -> None:
        """Hold the smallest `_doc`s until the input ends, then send them on in their order."""
        best = await hold_first(self.name, self.inbox, self.account, self.limit, ties=self.ties)
        account = self.account
        if best is not None:
            # The step behind counts these as its own.
            account.rows_in -= best.height
            account.pending -= best.height
            await self.outlets.put("", best.sort(ORDER, "_id"))
        await self.outlets.end()


async def hold_first(
    name: str,
    inbox: Inbox,
    account: Account,
    limit: int,
    *,
    reason: str = "limit",
    ties: bool = False,
) -> pl.DataFrame | None:
    """The first rows by `_doc` of all that come, which are pending; the others are rejected.

    Args:
        name: Of the step.
        inbox: Read to its end, of which a frame at a time is held beside the rows.
        account: Of the step.
        limit: How many rows.
        reason: Why the others are rejected.
        ties: See `LimitStage`.
    """
    best: pl.DataFrame | None = None
    while (frame := await inbox.get()) is not None:
        account.rows_in += frame.height
        account.pending += frame.height
        with fitting(name):
            best = first_rows([frame] if best is None else [best, frame], limit, ties=ties)
        if cut := account.pending - best.height:
            account.rejected[reason] += cut
            account.pending -= cut
    return best


def first_rows(frames: Sequence[pl.DataFrame], limit: int, *, ties: bool = False) -> pl.DataFrame:
    """The first rows of all frames by `_doc`, ties by `_id`, in that order."""
    whole = pl.concat(frames, how="diagonal_relaxed").sort("_doc", "_id")
    if whole.height <= limit:
        return whole
    first = whole.head(limit)
    if ties and limit > 0:
        first = whole.filter(pl.col("_doc") <= first["_doc"][-1])
    # Text of its own: a few rows of a frame would hold on to the text of all its rows.
    return first.with_columns(pl.col(pl.String) + "")


@dataclass(slots=True)
class MapStage:
    """Columnar work: computed columns, the operator's kernel, then columns computed after it."""

    name: str
    account: Account
    kernel: Kernel
    before: Assign = unchanged
    after: Assign = unchanged
    divide: Divide = undivided
    inbox: Inbox = field(default_factory=Inbox)
    outlets: Outlets = field(default_factory=Outlets)

    async def run(self) -> None:
        """Map each frame."""
        while (frame := await self.inbox.next()) is not None:
            if isinstance(frame, Mark):
                await self.outlets.mark(frame)
                continue
            kept, rejected = await asyncio.to_thread(self.apply, frame)
            await self.outlets.put("", kept)
            if rejected is not None:
                await self.outlets.put("rejected", rejected)
        await self.outlets.end()

    def apply(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame | None]:
        """Map one frame, and count it. Raises `MisfitError`."""
        with fitting(self.name):
            meant, rest = self.divide(frame)
            mapped = self.kernel(self.before(meant))
            kept = self.after(mapped.kept)
            if rest is not None:
                kept = pl.concat([kept, rest], how="diagonal_relaxed")
        account = self.account
        account.rows_in += frame.height
        account.out += kept.height
        if mapped.rejected is not None:
            for reason in mapped.rejected[REASON]:
                account.rejected[reason] += 1
        return kept, mapped.rejected


@dataclass(slots=True)
class RowStage:
    """Work on one row at a time, many at once: model calls and checks."""

    name: str
    account: Account
    op: RowOp
    schema: Mapping[str, pl.DataType | type[pl.DataType]]
    most: int
    observe: Observe
    before: Assign = unchanged
    after: Assign = unchanged
    divide: Divide = undivided
    prefix: Sequence[str] = ()
    """Columns that prompts begin with: rows that share them are set going together."""
    halt: Halt = field(default_factory=Halt)
    breakers: Breakers = field(default_factory=Breakers)
    holes: Holes | None = None
    """Where rows are noted that wait, for a step further on that needs to know."""
    cohort: Cohort = field(default_factory=Cohort)
    """Where rows are noted that are done, with what they cost, in the order they were let in."""
    inbox: Inbox = field(default_factory=Inbox)
    outlets: Outlets = field(default_factory=Outlets)
    _given: dict[str, pl.DataType] = field(default_factory=dict)
    """Columns that came in, over all inputs."""
    _taken: int = 0
    _under_way: int = 0
    _bytes: int = 0
    _left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a row is done."""
    _done: list[tuple[Mapping[str, Any], tuple[Outcome, ...]]] = field(default_factory=list)
    _open: dict[int, None] = field(default_factory=dict)
    """Numbers of the rows under way, in their order."""
    _marks: deque[tuple[int, Mark]] = field(default_factory=deque[tuple[int, Mark]])
    """Marks that came, each behind so many rows."""
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when there is something to send on at once."""
    _flushing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self) -> None:
        """Keep up to `most` rows under way; send finished rows on as they come."""
        ended = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._flush_until(ended))
                while (item := await self.inbox.next()) is not None:
                    if isinstance(item, Mark):
                        self._marks.append((self._taken, item))
                        self._wake_if_idle()
                    else:
                        await self._start(item, group)
                await self._room(0, 0)
                ended.set()
                self._wake.set()
        finally:
            self.account.rows_in += self._under_way
            self.account.pending += self._under_way
        await self.outlets.end()

    async def _start(self, frame: pl.DataFrame, group: asyncio.TaskGroup) -> None:
        """Set a frame's rows going, as there is room for them."""
        with fitting(self.name):
            frame, rest = self.divide(frame)
            frame = self.before(frame)
        if rest is not None:
            self.account.rows_in += rest.height
            self.account.out += rest.height
            await self.outlets.put("", rest)
            if not frame.height:
                self.cohort.passed(rest.height)
        weight = 1.0 if rest is None or not frame.height else 1.0 + rest.height / frame.height
        with fitting(self.name):
            self._given = join_schemas(self._given, frame.schema)
            frame = grouped(frame, self.prefix)
        for row in frame.iter_rows(named=True):
            size = len(text) if isinstance(text := row.get("text"), str) else 0
            await self._room(self.most - 1, BYTES_UNDER_WAY - size)
            self._under_way += 1
            self._bytes += size
            self._open[self._taken] = None
            group.create_task(self._row(row, size, self._taken, weight))
            self._taken += 1
            if len(self._done) >= FLUSH_ROWS:
                await self._flush()

    async def _room(self, rows: int, size: int) -> None:
        """Wait until so many rows of so much text are under way, or fewer, or none."""
        while self._under_way > rows or (self._under_way and self._bytes > size):
            self._left.clear()
            await self._left.wait()

    async def _row(self, row: Mapping[str, Any], size: int, number: int, weight: float) -> None:
        self.cohort.let_in(number, weight, open_tab())
        try:
            outcomes = await self.op.run(row)
        except Exception as error:
            outcomes = (outcome_of(row, error),)
        self.account.add(outcomes)
        if self.holes is not None and (end := _unsettled(outcomes)):
            self.holes.note(self.name, row, pending=end == "pending")
        if outcomes[0].end != "pending":
            self._break(number, outcomes)
            self.cohort.done(number, outcomes)
            self.observe(self.name, row, outcomes)
            self._done.append((row, outcomes))
        self._under_way -= 1
        self._bytes -= size
        del self._open[number]
        self._left.set()
        self._wake_if_idle()

    def _break(self, number: int, outcomes: tuple[Outcome, ...]) -> None:
        """Stop the run where too many rows of the step go wrong. A row counts by its best end."""
        best = min(outcomes, key=lambda o: ENDS.index(o.end))
        if trip := self.breakers.observe(self.name, number, best.end, best.reason):
            self.halt.call("breaker", trip.sentence, "--set budget.breakers=[]")

    async def _flush_until(self, ended: asyncio.Event) -> None:
        """Send finished rows on, now and then, and what is left at the end."""
        while not ended.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), FLUSH_SECONDS)
            self._wake.clear()
            await self._flush()
        await self._flush()

    def _wake_if_idle(self) -> None:
        """Have what is done sent on at once where nothing else is under way and others wait."""
        if self._marks and not self._open:
            self._wake.set()

    async def _flush(self) -> None:
        async with self._flushing:  # a mark never overtakes rows
            done, self._done = self._done, []
            oldest = next(iter(self._open), self._taken)
            passed: list[Mark] = []
            while self._marks and self._marks[0][0] <= oldest:
                passed.append(self._marks.popleft()[1])
            await self._send(done)
            for mark in passed:
                await self.outlets.mark(mark)

    async def _send(self, done: list[tuple[Mapping[str, Any], tuple[Outcome, ...]]]) -> None:
        ports: dict[str, list[Mapping[str, Any]]] = {
            "": [],
            "rejected": [],
            "routed": [],
            "errors": [],
        }
        for _, outcomes in done:
            for outcome in outcomes:
                port = {"out": "", "error": "errors"}.get(outcome.end, outcome.end)
                rows = outcome.rows if not port else _reasoned(outcome)
                if not port or self.outlets.wanted(port):
                    ports[port].extend(rows)
        for port, rows in ports.items():
            if rows:
                extra = self.schema if not port else {REASON: pl.String}
                with fitting(self.name):
                    frame = pl.DataFrame(rows, schema={**self._given, **extra}, orient="row")
                    frame = frame if port else self.after(frame)
                await self.outlets.put(port, frame)


def _unsettled(outcomes: tuple[Outcome, ...]) -> str:
    """How a row ended of which nothing is known yet; empty for one that is settled."""
    return next((o.end for o in outcomes if o.end in ("error", "pending")), "")


def _reasoned(outcome: Outcome) -> Iterable[Mapping[str, Any]]:
    return ({**row, REASON: outcome.reason} for row in outcome.rows)
