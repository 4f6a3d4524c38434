"""An event loop whose time is virtual: it never sleeps, and says so when nothing can happen."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class StuckError(Exception):
    """Everybody waits for somebody: a deadlock."""


class _Leaps(selectors.DefaultSelector):  # type: ignore[misc,valid-type]
    """Instead of waiting for a time, is there."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        """Leap to the next timer. Raises `StuckError` where there is none."""
        if timeout is None:
            raise StuckError
        self.now += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Timers fire in order and at once."""

    def __init__(self) -> None:
        self._leaps = _Leaps()
        super().__init__(self._leaps)

    def time(self) -> float:
        """Seconds of virtual time; a resolution finer than the loop's own."""
        return self._leaps.now


def run_virtually(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end in virtual time. Raises `StuckError` on a deadlock."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()
