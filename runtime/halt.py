"""Why a run stops before its end, and how those who are at work hear of it.

A run that stops admits nothing new and lets what is in flight come home: rows that would have to
ask a model again are `pending`, all others move on. Nothing is torn away, so nothing paid for is
lost, whoever asked for the stop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

Cause = Literal["user", "cap", "deadline", "breaker", "engine", "disk"]


class HeldBackError(Exception):
    """The run stops, and this request was not sent."""


@dataclass(slots=True)
class Halt:
    """The one place where a run is told to stop. The first cause stands."""

    cause: Cause | None = None
    message: str = ""
    more: str = ""
    """What to type behind the command that goes on, for it to get any further."""
    unread: bool = False
    """Whether rows of a source were left unread."""
    listeners: list[Callable[[], None]] = field(default_factory=list)
    _called: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def called(self) -> bool:
        """Whether the run is to stop."""
        return self.cause is not None

    def call(self, cause: Cause, message: str, more: str = "") -> None:
        """Stop the run."""
        if self.cause is None:
            self.cause, self.message, self.more = cause, message, more
            self._called.set()
            for listener in self.listeners:
                listener()

    async def sleep(self, seconds: float) -> None:
        """Sleep, but no longer than the run goes on."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._called.wait(), seconds)
