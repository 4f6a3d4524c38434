"""Keep something alive that may crash: made when it is needed, made again when it died."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ..requests import EngineError

T = TypeVar("T")

RESTARTS = 6
"""Restarts in a row, without one reply between them, before the engine gives up: suspects of a
crash are sent again as a whole, in groups and alone, and each of these may be the next crash."""
BACKOFF = 0.5
"""Seconds before the first restart; each further one waits twice as long."""


@dataclass(slots=True)
class Restarts(Generic[T]):
    """Holds one process at a time. Used within one event loop.

    Attributes:
        what: How errors call it: `llama.cpp`.
        model: The model that it serves.
        launch: Makes one. Raises `EngineError`.
        drop: Frees one, dead or alive.
        alive: Whether one still serves.
        count: Restarts so far.
        crashes: Restarts in a row, without a reply.
        words: What the last one said before it died.
    """

    what: str
    model: str
    launch: Callable[[], Awaitable[T]]
    drop: Callable[[T], Awaitable[None]]
    alive: Callable[[T], bool]
    count: int = 0
    crashes: int = 0
    words: str = ""
    current: T | None = None
    _open: bool = False
    _served: bool = False
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self) -> None:
        """Make the first one. Raises `EngineError`."""
        self._open = True
        await self.get()

    async def get(self) -> T:
        """The one that serves; a new one if the last has died. Raises `EngineError`."""
        if (ready := self._ready()) is not None:
            return ready
        async with self._lock:
            if not self._open:
                raise EngineError("closed", "the engine is not started", retryable=False)
            if (ready := self._ready()) is not None:
                return ready
            if not self._served:
                self.current = await self.launch()
                self._served = True
                return self.current
            return await self._again()

    async def close(self) -> None:
        """Free it; `get` raises from now on."""
        self._open = False
        async with self._lock:
            await self._drop()

    @property
    def open(self) -> bool:
        """Whether it is meant to serve."""
        return self._open

    def answered(self) -> None:
        """A reply came: what it crashed on before is behind it."""
        self.crashes = 0

    def crash(self, words: str = "", *, kind: str = "crash") -> EngineError:
        """The error of a request that was under way when it died; sending again may help."""
        self.words = words or self.words
        return self._error("", kind, retryable=True)

    def _ready(self) -> T | None:
        return self.current if self.current is not None and self.alive(self.current) else None

    async def _again(self) -> T:
        await self._drop()
        if self.crashes >= RESTARTS:
            raise self._error(f" {self.crashes + 1} times in a row", "crash", retryable=False)
        await asyncio.sleep(BACKOFF * 2**self.crashes)
        self.crashes += 1
        self.count += 1
        try:
            self.current = await self.launch()
        except EngineError as failed:
            # It loaded before, so it may load again.
            self.words = str(failed)
            raise self._error("", failed.kind, retryable=True) from failed
        return self.current

    async def _drop(self) -> None:
        last, self.current = self.current, None
        if last is not None:
            await self.drop(last)

    def _error(self, how_often: str, kind: str, *, retryable: bool) -> EngineError:
        message = f"{self.what} crashed{how_often} with {self.model}"
        full = f"{message}: {self.words}" if self.words else message
        return EngineError("crash" if kind == "load" else kind, full, retryable=retryable)
