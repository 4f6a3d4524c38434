"""Which server gets a request, and when.

Requests that begin alike prefer the same server, whose prefix cache then serves them, as long as
its load stays within a quarter above the average; then the next in their order of preference:
rendezvous hashing (Thaler and Ravishankar, 1998) with bounded loads (Mirrokni, Thorup and
Zadimoghaddam, "Consistent hashing with bounded loads", SODA 2018). A server that is down is left
out, until one request probes it.

Requests go in the order in which they came. Waiting for a server to have room, for a pause that it
asked for, or for the limits by the minute is no failure and has no timeout. Only where every
server is down is there nothing to wait for but a probe under way.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from hashlib import blake2b
from math import ceil

from ..requests import EngineError
from .bucket import Bucket
from .endpoint import Endpoint, Permit

SLACK = 1.25
"""Load of a preferred server, as a multiple of the average, up to which it stays preferred."""


class Balancer:
    """Hands out permits. Lives in one event loop."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        clock: Callable[[], float],
        requests: Bucket | None = None,
        tokens: Bucket | None = None,
    ) -> None:
        self.endpoints = tuple(endpoints)
        self._clock = clock
        self._requests = requests
        self._tokens = tokens
        self._queue: deque[_Waiter] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def enter(self, prefix: bytes = b"", cost: float = 0.0) -> Permit:
        """Wait until a request may be sent.

        Args:
            prefix: How it begins: equal ones prefer the same server.
            cost: Tokens that it may take.

        Raises:
            EngineError: `connect`, when every server is down.
        """
        if not self._queue and (permit := self._admit(prefix, cost)) is not None:
            return permit
        future: asyncio.Future[Permit] = asyncio.get_running_loop().create_future()
        asked = self._clock()
        self._queue.append(_Waiter(future, prefix, cost))
        self.pump()
        try:
            permit = await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                future.result().dropped()
                self.pump()
            raise
        permit.waited = self._clock() - asked
        return permit

    def close(self) -> None:
        """Send away whoever waits."""
        self._refuse(closed)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def note(self) -> str:
        """What is not as it should be, in a few words."""
        now = self._clock()
        down = sum(e.health.down for e in self.endpoints)
        paused = sum(now < e.paused_until for e in self.endpoints)
        least = sum(e.limit.now for e in self.endpoints)
        count = len(self.endpoints)
        return ", ".join(
            words
            for words, true in (
                ("server down" if count == 1 else f"{down} of {count} servers down", down),
                ("asked to wait" if count == 1 else f"{paused} asked to wait", paused),
                (f"{least} at once", least < sum(e.limit.most for e in self.endpoints)),
            )
            if true
        )

    def pump(self) -> None:
        """Let go whoever may; to be called when a request has come back."""
        while self._queue:
            waiter = self._queue[0]
            if not waiter.future.done():
                permit = self._admit(waiter.prefix, waiter.cost)
                if permit is None:
                    break
                waiter.future.set_result(permit)
            self._queue.popleft()
        else:
            return
        if self._hopeless():
            self._fail()
        else:
            self._wake_later()

    def _admit(self, prefix: bytes, cost: float) -> Permit | None:
        now = self._clock()
        endpoint = self._choose(prefix, now)
        if endpoint is None or self._wait(cost, now):
            return None
        if self._requests is not None:
            self._requests.take(1.0)
        if self._tokens is not None:
            self._tokens.take(cost)
        permit = endpoint.send()
        permit.cost, permit.tokens = cost, self._tokens
        return permit

    def _choose(self, prefix: bytes, now: float) -> Endpoint | None:
        if len(self.endpoints) == 1:
            return self.endpoints[0] if self.endpoints[0].admits(now) else None
        able = [e for e in self.endpoints if e.admits(now)]
        if len(able) < 2:
            return able[0] if able else None
        for endpoint in able:
            if endpoint.health.down:  # Its probe is due.
                return endpoint
        up = [e for e in self.endpoints if not e.health.down]
        average = (sum(e.in_flight for e in up) + 1) / sum(e.limit.now for e in up)
        for endpoint in sorted(able, key=lambda e: _rank(prefix, e.address)):
            if endpoint.in_flight < ceil(SLACK * average * endpoint.limit.now):
                return endpoint
        return min(able, key=lambda e: e.load)

    def _wait(self, cost: float, now: float) -> float:
        """Seconds until the limits by the minute allow a request."""
        requests = self._requests.wait(1.0, now) if self._requests is not None else 0.0
        tokens = self._tokens.wait(cost, now) if self._tokens is not None else 0.0
        return max(requests, tokens)

    def _hopeless(self) -> bool:
        """Whether every server is down, and nobody is asking one whether it is back."""
        now = self._clock()
        return all(
            e.health.down and not e.health.probing and now < e.health.probe_at
            for e in self.endpoints
        )

    def _fail(self) -> None:
        count = len(self.endpoints)
        first = min(self.endpoints, key=lambda e: e.health.probe_at)
        words = "the server does not answer" if count == 1 else f"none of {count} servers answers"
        words = f"{words}: {first.trouble}"
        wait = max(first.health.probe_at - self._clock(), 0.0)
        self._refuse(lambda: EngineError("connect", words, retryable=True, retry_after=wait))

    def _refuse(self, error: Callable[[], EngineError]) -> None:
        for waiter in self._queue:
            if not waiter.future.done():
                waiter.future.set_exception(error())
        self._queue.clear()

    def _wake_later(self) -> None:
        """Pump again when time alone lets the next one go."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._clock()
        opens = [at for e in self.endpoints if (at := e.opens_at(now)) is not None]
        if not opens:
            return
        wait = max(min(opens) - now, self._wait(self._queue[0].cost, now))
        self._timer = asyncio.get_running_loop().call_later(max(wait, 0.001), self.pump)


def closed() -> EngineError:
    """What a request gets when nobody serves it any more."""
    return EngineError("closed", "the engine is not started", retryable=False)


class _Waiter:
    __slots__ = ("cost", "future", "prefix")

    def __init__(self, future: asyncio.Future[Permit], prefix: bytes, cost: float) -> None:
        self.future = future
        self.prefix = prefix
        self.cost = cost


def _rank(prefix: bytes, address: str) -> bytes:
    return blake2b(address.encode(), digest_size=8, key=prefix[:64]).digest()
