"""The window of an engine: requests from all steps and partitions, kept full, nothing paid twice.

A request is looked up in the ledger, then among those in flight, and only then sent. A row moves on
after its completion is committed. Transient faults are retried with backoff and jitter; an engine
that fails again and again without a single success in between is down, and the run stops with
everything saved. Once the window drains, whoever asks for something new waits until the run ends:
what is in flight is paid for, and its rows must not be torn away by a neighbour's failure.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .engines.base import Engine, ModelInfo, ModelSpec
from .ledger import Entry, Ledger, key_of
from .requests import Completion, EngineError, Message, Request, Sampling

TRIES = 10
FIRST_TRIES = 6
"""The same for an engine that has never answered, which is then down."""
FIRST_WAIT = 0.25
LONGEST_WAIT = 30.0
DOWN_AFTER = 40
"""Failures in a row, over all requests, that mean the engine is down and not the request bad."""
NO_SIGN = frozenset(
    {"overlong", "filtered", "status-400", "status-413", "status-422", "status-429"}
)
"""Faults of one request, and of a server that is merely busy: no sign that the engine is down."""


class EngineDownError(Exception):
    """An engine does not answer at all; the message says which and why."""


class MissingError(Exception):
    """A replay met a request that the ledger does not hold."""


_Reply = tuple[Completion, float]
"""What came back, and after how many seconds."""


@dataclass(slots=True)
class WindowStats:
    """What went through a window."""

    sent: int = 0
    reused: int = 0
    shared: int = 0
    retried: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    busy_since: float | None = None
    busy_until: float = 0.0

    @property
    def seconds(self) -> float:
        """Wall time between the first request sent and the last reply."""
        return max(self.busy_until - self.busy_since, 0.0) if self.busy_since else 0.0


@dataclass(slots=True)
class Window:
    """One engine's window."""

    spec: ModelSpec
    info: ModelInfo
    ledger: Ledger
    open_engine: Callable[[ModelSpec], Engine]
    seed: int = 0
    replay: bool = False
    stats: WindowStats = field(default_factory=WindowStats)
    in_flight: int = 0
    """Requests that are sent and not answered …"""
    uncommitted: int = 0
    """… and those that are answered and not durable yet: together, all that a kill can lose."""
    closing: bool = False
    _engine: Engine | None = None
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _senders: list[asyncio.Task[None]] = field(default_factory=list)
    _under_way: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    _waiting: asyncio.Queue[tuple[Request, asyncio.Future[_Reply]]] = field(
        default_factory=asyncio.Queue
    )
    _pending: dict[tuple[bytes, int], asyncio.Future[Entry]] = field(default_factory=dict)
    _failures: int = 0
    """In a row, without a success in between."""
    _answered: bool = False

    async def ask(
        self, messages: tuple[Message, ...], sampling: Mapping[str, Any], draw: int
    ) -> Entry:
        """A completion of the messages, from the ledger or the engine.

        Raises:
            EngineError: It failed for good.
            EngineDownError: The engine does not answer any more.
            OSError: The completion cannot be saved.
            MissingError: On replay, if the ledger does not hold it.
        """
        request = Request(self.info.digest, messages, sampling_of(sampling), draw)
        key = key_of(request)
        if (entry := self.ledger.get(key, request.sampling.max_tokens)) is not None:
            self.stats.reused += 1
            return entry
        if self.replay:
            raise MissingError(f"the ledger has no completion for draw {draw} of {self.spec.name}")
        token = (key, request.sampling.max_tokens)
        if (waiting := self._pending.get(token)) is not None:
            self.stats.shared += 1
            return await asyncio.shield(waiting)
        future: asyncio.Future[Entry] = asyncio.get_running_loop().create_future()
        self._pending[token] = future
        try:
            seed = (int.from_bytes(key[:4], "big") ^ self.seed) & 0x7FFFFFFF
            entry = await self._send(replace(request, seed=seed), key)
        except Exception as error:
            future.set_exception(error)
            future.exception()  # nobody may be waiting
            raise
        except BaseException:
            future.cancel()
            raise
        else:
            future.set_result(entry)
            return entry
        finally:
            del self._pending[token]

    async def _send(self, request: Request, key: bytes) -> Entry:
        if not self._senders:
            await self._start()
        wait = FIRST_WAIT
        for attempt in range(1, TRIES + 1):
            reply: asyncio.Future[_Reply] = asyncio.get_running_loop().create_future()
            self._waiting.put_nowait((request, reply))
            try:
                completion, seconds = await reply
            except EngineError as error:
                self._give_up(error, attempt)
                self.stats.retried += 1
                pause = max(error.retry_after or 0.0, wait * random.uniform(0.5, 1.5))
            else:
                return await self._commit(request, key, completion, seconds)
            await asyncio.sleep(pause)
            wait = min(wait * 2, LONGEST_WAIT)
        raise AssertionError("unreachable")

    async def _serve(self, engine: Engine) -> None:
        """Send what waits, one request after another. As many of these run as the engine has slots.

        A request is under way until its completion is durable, and no more are than the engine has
        slots: that is what a kill can cost, whatever the disk is doing.
        """
        while True:
            request, reply = await self._waiting.get()
            if self.closing:
                return
            if reply.done():  # nobody waits any more
                continue
            await self._under_way.acquire()
            if self.closing:
                return
            self.stats.sent += 1
            self.in_flight += 1
            started = time.monotonic()
            self.stats.busy_since = self.stats.busy_since or started
            try:
                completion = await engine.complete(request)
            except Exception as error:
                if isinstance(error, EngineError):
                    self._failures += error.kind not in NO_SIGN
                self._under_way.release()
                if not reply.done():
                    reply.set_exception(error)
            except BaseException:
                self._under_way.release()
                raise
            else:
                self._failures, self._answered = 0, True
                if reply.done():
                    self._under_way.release()
                else:
                    self.uncommitted += 1
                    spent = time.monotonic() - started - completion.waited
                    reply.set_result((completion, spent))
            finally:
                self.in_flight -= 1

    def _give_up(self, error: EngineError, attempt: int) -> None:
        """Raise where another try is of no use: for this request, or for all."""
        if error.kind not in NO_SIGN:
            tried = not error.retryable or attempt >= FIRST_TRIES
            never = tried and not self._answered and self._failures >= FIRST_TRIES
            if never or self._failures >= DOWN_AFTER:
                raise EngineDownError(f"{self.spec.name} is down: {error}") from error
        if not error.retryable or attempt == TRIES:
            raise error

    async def _commit(
        self, request: Request, key: bytes, completion: Completion, seconds: float
    ) -> Entry:
        self.stats.busy_until = time.monotonic()
        self.stats.prompt_tokens += completion.prompt_tokens
        self.stats.completion_tokens += completion.completion_tokens
        self.stats.cached_tokens += completion.cached_tokens
        entry = Entry(
            key=key,
            text=completion.text,
            finish=completion.finish,
            prompt_tokens=completion.prompt_tokens,
            completion_tokens=completion.completion_tokens,
            max_tokens=completion.max_tokens,
            seed=request.seed if completion.seed is None else completion.seed,
            engine=self.spec.engine,
            model=self.spec.model,
            time=time.time(),
            seconds=seconds,
            extra=completion.extra,
        )
        try:
            await self.ledger.put(entry)
        finally:
            self.uncommitted -= 1
            self._under_way.release()
        return entry

    async def _start(self) -> None:
        async with self._starting:
            if self.closing:
                await asyncio.get_running_loop().create_future()
            if self._senders:
                return
            engine = self.open_engine(self.spec)
            try:
                await engine.start()
            except EngineError as error:
                await engine.close()
                raise EngineDownError(f"{self.spec.name} did not start: {error}") from error
            self._engine = engine
            self._under_way = asyncio.Semaphore(engine.slots)
            self._senders = [asyncio.create_task(self._serve(engine)) for _ in range(engine.slots)]

    async def drain(self, seconds: float) -> None:
        """Admit nothing more, and wait for what is in flight."""
        self.closing = True
        deadline = time.monotonic() + seconds
        while (self.in_flight or self.uncommitted) and time.monotonic() < deadline:
            await asyncio.sleep(0.02)

    async def close(self) -> None:
        """Free the engine."""
        self.closing = True
        for sender in self._senders:
            sender.cancel()
        await asyncio.gather(*self._senders, return_exceptions=True)
        if self._engine is not None:
            await self._engine.close()
            self._engine = None


def sampling_of(values: Mapping[str, Any]) -> Sampling:
    """Sampling from the plan's JSON."""
    return Sampling(**{**values, "stop": tuple(values.get("stop") or ())})
