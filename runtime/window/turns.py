"""Whose request is sent next.

Steps that share an engine take turns, some requests each, so that none waits for another to end and
neighbours, which often begin alike, are still sent together.

Requests that were in flight when the engine died are suspects. They are sent with nothing else in
flight, first in groups of the square root of the slots, then alone: a prompt that kills the engine
is found after three deaths, and the others lose at most two rounds.
"""

from __future__ import annotations

import asyncio
from collections import deque
from math import isqrt

from ..halt import HeldBackError

BURST = 16
"""Requests of a step that go before another's turn comes."""
ALONE = 2
"""Deaths of the engine after which a request is sent alone."""


class Turns:
    """Hands out the slots of an engine: `enter` before a request, `leave` after its commit."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.limit = slots
        """How many of them are given out: fewer while the engine is not there."""
        self.taken = 0
        self._closed = False
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self._served = 0
        self._suspects: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._trial = False

    @property
    def waiting(self) -> int:
        """Requests that wait for their turn."""
        return sum(map(len, self._waiting.values())) + len(self._suspects)

    async def enter(self, step: str, deaths: int = 0) -> None:
        """Wait for a slot.

        Args:
            step: Who asks.
            deaths: How often the engine has died while this request was in flight.

        Raises:
            HeldBackError: The run stops.
        """
        if self._closed:
            raise HeldBackError
        quiet = not (deaths or self._waiting or self._suspects or self._trial)
        if quiet and self.taken < self.limit:
            self.taken += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if deaths:
            self._suspects.append((deaths, turn))
        else:
            self._waiting.setdefault(step, deque()).append(turn)
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.leave()  # it was given a slot that it cannot use any more
            raise

    def leave(self) -> None:
        """Give a slot back."""
        self.taken -= 1
        if not self.taken:
            self._trial = False
        self._admit()

    def open(self) -> None:
        """Give out all slots again."""
        if self.limit < self.slots:
            self.limit = self.slots
            self._admit()

    def close(self) -> None:
        """Admit nobody any more, and say so to those who wait."""
        self._closed = True
        turns = [t for queue in self._waiting.values() for t in queue]
        turns += [t for _, t in self._suspects]
        self._waiting.clear()
        self._suspects.clear()
        for turn in turns:
            if not turn.done():
                turn.set_exception(HeldBackError())

    def _admit(self) -> None:
        if self._suspects or self._trial:
            if self._suspects and not self.taken:
                self._try()
            return
        while self._waiting and self.taken < self.limit:
            self._grant(self._next())

    def _try(self) -> None:
        """Let a group of suspects go, with nothing else in flight."""
        deaths = max(d for d, _ in self._suspects)
        room = 1 if deaths >= ALONE else max(isqrt(self.slots), 1)
        chosen = [s for s in self._suspects if s[0] == deaths][:room]
        self._trial = True
        for suspect in chosen:
            self._suspects.remove(suspect)
            self._grant(suspect[1])
        if not self.taken:  # all of them had given up
            self._trial = False
            self._admit()

    def _next(self) -> asyncio.Future[None]:
        step = next(iter(self._waiting))
        queue = self._waiting[step]
        turn = queue.popleft()
        self._served += 1
        if not queue:
            del self._waiting[step]
            self._served = 0
        elif self._served >= BURST:
            self._waiting[step] = self._waiting.pop(step)  # to the end of the line
            self._served = 0
        return turn

    def _grant(self, turn: asyncio.Future[None]) -> None:
        if not turn.done():
            self.taken += 1
            turn.set_result(None)
