"""Bounded queues of frames between stages, and the marks that say what is through."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import polars as pl

CAPACITY = 4
"""Frames that may wait on an edge: enough to keep both ends busy, little enough to stay flat."""

END = 2**63 - 1
"""The place behind all rows of a lane."""


@dataclass(frozen=True, slots=True)
class Mark:
    """No row of a lane up to a place will come any more.

    Attributes:
        lane: Where marks start: a source, or what feeds a chain of steps.
        place: Of a source, the `_order` of a row.
    """

    lane: int
    place: int


Item: TypeAlias = "pl.DataFrame | Mark"


@dataclass(slots=True)
class Inbox:
    """Frames that wait for a stage. Ends when each of its writers has ended.

    Several writers may bring rows of one lane: then a mark holds once each of them has sent it.
    """

    writers: int = 0
    _lanes: dict[int, dict[int, int]] = field(default_factory=dict)
    """How far each writer of a lane is."""
    _passed: dict[int, int] = field(default_factory=dict)
    """How far a lane is, as the stage was told."""
    _told: deque[Mark] = field(default_factory=deque[Mark])
    _queue: asyncio.Queue[tuple[int, Item | None]] = field(
        default_factory=lambda: asyncio.Queue(CAPACITY)
    )

    @property
    def lanes(self) -> tuple[int, ...]:
        """The lanes whose marks come here."""
        return tuple(self._lanes)

    def join(self, lanes: Iterable[int] = ()) -> int:
        """Add a writer, which will send marks of some lanes; its number."""
        writer, self.writers = self.writers, self.writers + 1
        for lane in lanes:
            self._lanes.setdefault(lane, {})[writer] = -1
        return writer

    def hears(self, writer: int, lane: int | None = None) -> bool:
        """Whether a writer's marks of a lane, or of any, are of use."""
        lanes = self._lanes.values() if lane is None else (self._lanes.get(lane, {}),)
        return any(writer in places for places in lanes)

    async def put(self, item: Item | None, writer: int = 0) -> None:
        """Hand over a frame or a mark, or None when this writer has ended."""
        await self._queue.put((writer, item))

    async def get(self) -> pl.DataFrame | None:
        """The next frame; None when nothing more will come. Marks are passed over."""
        while isinstance(item := await self.next(), Mark):
            pass
        return item

    async def next(self) -> Item | None:
        """The next frame or mark; None when nothing more will come."""
        while not self._told and self.writers > 0:
            writer, item = await self._queue.get()
            if isinstance(item, Mark):
                self._move(item.lane, writer, item.place)
            elif item is not None:
                return item
            else:
                self.writers -= 1
                for lane in [lane for lane, places in self._lanes.items() if writer in places]:
                    self._move(lane, writer, END)
        return self._told.popleft() if self._told else None

    def _move(self, lane: int, writer: int, place: int) -> None:
        """Note how far a writer is, and tell the stage if that brings the lane on."""
        places = self._lanes[lane]
        places[writer] = place
        if (low := min(places.values())) > self._passed.get(lane, -1):
            self._passed[lane] = low
            self._told.append(Mark(lane, low))


@dataclass(frozen=True, slots=True)
class Pipe:
    """One writer of an inbox."""

    inbox: Inbox
    writer: int


@dataclass(slots=True)
class Outlets:
    """Where a stage's rows go, port by port."""

    ports: dict[str, list[Pipe]] = field(default_factory=dict)
    keeps: frozenset[str] | None = None
    """Columns that rows are sent with, besides those that begin with `_`; None for all."""

    def join(self, port: str, inbox: Inbox, lanes: Iterable[int] = ()) -> None:
        """Let a port be read by an inbox, which is sent the marks of some lanes too."""
        self.ports.setdefault(port, []).append(Pipe(inbox, inbox.join(lanes)))

    async def put(self, port: str, frame: pl.DataFrame) -> None:
        """Send a frame to every reader of a port; without readers it is dropped."""
        if frame.height and self.wanted(port):
            frame = self._narrowed(frame)
            for pipe in self.ports[port]:
                await pipe.inbox.put(frame, pipe.writer)

    async def mark(self, mark: Mark) -> None:
        """Say, behind all rows that were sent, that no more of them will come up to a place."""
        for pipes in self.ports.values():
            for pipe in pipes:
                if pipe.inbox.hears(pipe.writer, mark.lane):
                    await pipe.inbox.put(mark, pipe.writer)

    @property
    def marked(self) -> bool:
        """Whether anybody goes by marks."""
        return any(p.inbox.hears(p.writer) for pipes in self.ports.values() for p in pipes)

    def _narrowed(self, frame: pl.DataFrame) -> pl.DataFrame:
        if self.keeps is None:
            return frame
        return frame.select(c for c in frame.columns if c.startswith("_") or c in self.keeps)

    def wanted(self, port: str) -> bool:
        """Whether anybody reads a port."""
        return bool(self.ports.get(port))

    async def end(self) -> None:
        """Tell every reader that nothing more comes."""
        for pipes in self.ports.values():
            for pipe in pipes:
                await pipe.inbox.put(None, pipe.writer)
