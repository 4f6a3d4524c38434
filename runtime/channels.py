"""Bounded queues of frames between stages."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

CAPACITY = 4
"""Frames that may wait on an edge: enough to keep both ends busy, little enough to stay flat."""


@dataclass(slots=True)
class Inbox:
    """Frames that wait for a stage. Ends when each of its writers has ended."""

    writers: int = 0
    _queue: asyncio.Queue[pl.DataFrame | None] = field(
        default_factory=lambda: asyncio.Queue(CAPACITY)
    )

    async def put(self, frame: pl.DataFrame | None) -> None:
        """Hand over a frame, or None when this writer has ended."""
        await self._queue.put(frame)

    async def get(self) -> pl.DataFrame | None:
        """The next frame; None when nothing more will come."""
        while self.writers > 0:
            frame = await self._queue.get()
            if frame is not None:
                return frame
            self.writers -= 1
        return None


@dataclass(slots=True)
class Outlets:
    """Where a stage's rows go, port by port."""

    ports: dict[str, list[Inbox]] = field(default_factory=dict)
    keeps: frozenset[str] | None = None
    """Columns that rows are sent with, besides those that begin with `_`; None for all."""

    def join(self, port: str, inbox: Inbox) -> None:
        """Let a port be read by an inbox."""
        self.ports.setdefault(port, []).append(inbox)
        inbox.writers += 1

    async def put(self, port: str, frame: pl.DataFrame) -> None:
        """Send a frame to every reader of a port; without readers it is dropped."""
        if frame.height and self.wanted(port):
            frame = self._narrowed(frame)
            for inbox in self.ports[port]:
                await inbox.put(frame)

    def _narrowed(self, frame: pl.DataFrame) -> pl.DataFrame:
        if self.keeps is None:
            return frame
        return frame.select(c for c in frame.columns if c.startswith("_") or c in self.keeps)

    def wanted(self, port: str) -> bool:
        """Whether anybody reads a port."""
        return bool(self.ports.get(port))

    async def end(self) -> None:
        """Tell every reader that nothing more comes."""
        for inboxes in self.ports.values():
            for inbox in inboxes:
                await inbox.put(None)
