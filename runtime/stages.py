"""The physical stages: each takes frames from its inbox and sends frames on, until its inbox ends.

Stages run side by side on one event loop. Columnar work runs in threads (polars releases the GIL),
model calls are awaited, checks run in worker processes; nothing waits for a batch.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import polars as pl

from .account import Account
from .channels import Inbox, Outlets
from .checkpool import CheckCrash, CheckError
from .kernel import REASON, Kernel
from .outcome import Outcome
from .prompting import RenderError
from .requests import EngineError

FLUSH_ROWS = 256
"""Finished rows that travel together at most …"""
FLUSH_SECONDS = 0.25
"""… and how long a finished row waits for others at most."""

Observe = Callable[[str, Mapping[str, Any], tuple[Outcome, ...]], None]


Assign = Callable[[pl.DataFrame], pl.DataFrame]
"""Adds the columns of a `set:` to a frame."""


def unchanged(frame: pl.DataFrame) -> pl.DataFrame:
    """No columns to add."""
    return frame


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
    inbox: Inbox = field(default_factory=Inbox)
    outlets: Outlets = field(default_factory=Outlets)

    async def run(self) -> None:
        """Send each partition on."""
        partitions = iter(self.partitions())
        while (frame := await asyncio.to_thread(next, partitions, None)) is not None:
            self.account.rows_in += frame.height
            self.account.out += frame.height
            await self.outlets.put("", frame)
        await self.outlets.end()


@dataclass(slots=True)
class LimitStage:
    """Keeps the first rows by `_doc`, ties by `_id`. Holds no more rows than it keeps."""

    limit: int
    account: Account
    inbox: Inbox = field(default_factory=Inbox)
    outlets: Outlets = field(default_factory=Outlets)

    async def run(self) -> None:
        """Hold the smallest `_doc`s until the input ends, then send them on in their order."""
        heap: list[tuple[_Last, pl.DataFrame]] = []
        cut = 0
        while (frame := await self.inbox.get()) is not None:
            for i, key in enumerate(zip(frame["_doc"], frame["_id"], strict=True)):
                if len(heap) < self.limit:
                    heapq.heappush(heap, (_Last(key), frame.slice(i, 1)))
                elif heap and key < heap[0][0].key:
                    heapq.heapreplace(heap, (_Last(key), frame.slice(i, 1)))
                    cut += 1
                else:
                    cut += 1
        if cut:
            self.account.rejected["limit"] += cut
            self.account.rows_in += cut
        if heap:
            rows = pl.concat([f for _, f in heap], how="diagonal_relaxed")
            await self.outlets.put("", rows.sort("_order", "_id"))
        await self.outlets.end()


@dataclass(frozen=True, slots=True)
class _Last:
    """Orders a min-heap by the largest key."""

    key: tuple[str, str]

    def __lt__(self, other: _Last) -> bool:
        return self.key > other.key


@dataclass(slots=True)
class MapStage:
    """Columnar work: computed columns, then the operator's kernel, then columns computed after it."""

    account: Account
    kernel: Kernel
    before: Assign = unchanged
    after: Assign = unchanged
    inbox: Inbox = field(default_factory=Inbox)
    outlets: Outlets = field(default_factory=Outlets)

    async def run(self) -> None:
        """Map each frame."""
        while (frame := await self.inbox.get()) is not None:
            kept, rejected = await asyncio.to_thread(self.apply, frame)
            await self.outlets.put("", kept)
            if rejected is not None:
                await self.outlets.put("rejected", rejected)
        await self.outlets.end()

    def apply(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame | None]:
        """Map one frame, and count it."""
        mapped = self.kernel(self.before(frame))
        account = self.account
        account.rows_in += frame.height
        account.out += mapped.kept.height
        if mapped.rejected is not None:
            for reason in mapped.rejected[REASON]:
                account.rejected[reason] += 1
        return self.after(mapped.kept), mapped.rejected


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
    inbox: Inbox = field(default_factory=Inbox)
    outlets: Outlets = field(default_factory=Outlets)
    _done: list[tuple[Mapping[str, Any], tuple[Outcome, ...]]] = field(default_factory=list)

    async def run(self) -> None:
        """Keep up to `most` rows under way; send finished rows on as they come."""
        tasks: set[asyncio.Task[None]] = set()
        schema: dict[str, Any] = {}
        ended = asyncio.Event()
        flusher = asyncio.create_task(self._flush_until(ended, schema))
        try:
            while (frame := await self.inbox.get()) is not None:
                frame = self.before(frame)
                schema.update(frame.schema)
                for row in frame.iter_rows(named=True):
                    while len(tasks) >= self.most:
                        done, tasks = await asyncio.wait(
                            tasks, return_when=asyncio.FIRST_COMPLETED
                        )
                        _raise(done)
                    tasks.add(asyncio.create_task(self._row(row)))
                    if len(self._done) >= FLUSH_ROWS:
                        await self._flush(schema)
            while tasks:
                done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                _raise(done)
            ended.set()
            await flusher
        finally:
            flusher.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(flusher, *tasks, return_exceptions=True)
        await self.outlets.end()

    async def _row(self, row: Mapping[str, Any]) -> None:
        try:
            outcomes = await self.op.run(row)
        except EngineError as error:
            outcomes = (Outcome("error", (row,), error.kind, {"message": str(error)}),)
        except RenderError as error:
            outcomes = (Outcome("error", (row,), "prompt", {"message": str(error)}),)
        except (CheckError, CheckCrash) as error:
            outcomes = (Outcome("error", (row,), "check", {"message": str(error)}),)
        self.account.add(outcomes)
        self.observe(self.name, row, outcomes)
        self._done.append((row, outcomes))

    async def _flush_until(self, ended: asyncio.Event, schema: Mapping[str, Any]) -> None:
        """Send finished rows on, now and then, and what is left at the end."""
        while not ended.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), FLUSH_SECONDS)
            await self._flush(schema)
        await self._flush(schema)

    async def _flush(self, schema: Mapping[str, Any]) -> None:
        done, self._done = self._done, []
        ports: dict[str, list[Mapping[str, Any]]] = {"": [], "rejected": [], "routed": [], "errors": []}
        for _, outcomes in done:
            for outcome in outcomes:
                port = {"out": "", "error": "errors"}.get(outcome.end, outcome.end)
                rows = outcome.rows if not port else _reasoned(outcome)
                if not port or self.outlets.wanted(port):
                    ports[port].extend(rows)
        for port, rows in ports.items():
            if rows:
                extra = self.schema if not port else {REASON: pl.String}
                frame = pl.DataFrame(rows, schema={**schema, **extra}, orient="row")
                await self.outlets.put(port, frame if port else self.after(frame))


def _reasoned(outcome: Outcome) -> Iterable[Mapping[str, Any]]:
    return ({**row, REASON: outcome.reason} for row in outcome.rows)


def _raise(done: Iterable[asyncio.Task[None]]) -> None:
    for task in done:
        task.result()
