"""The window of an engine: requests from all steps and partitions, kept full, nothing paid twice.

A request is looked up in the ledger, then among those in flight, and only then sent, when its turn
has come and the budget allows. A row moves on after its completion is committed.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..budget import Exhausted, NoPurse, Purse, Reservation, input_bound, is_lost, raised
from ..budget.amounts import TIMED
from ..engines.base import Engine, ModelInfo, ModelSpec
from ..halt import Cause, Halt, HeldBackError
from ..hidden import hidden_tokens
from ..ledger import Entry, Ledger, key_of
from ..requests import Completion, EngineError, Message, Request, Sampling
from ..tab import Paid, note_held, note_paid, note_sent
from .health import EngineDownError, Fare, Health
from .stats import WindowStats
from .turns import Turns

ELSEWHERE_SECONDS = 0.2
"""How long a request that another living process has under way waits until it is asked about."""


class MissingError(Exception):
    """A replay met a request that the ledger does not hold."""


@dataclass(slots=True)
class Window:
    """One engine's window."""

    spec: ModelSpec
    info: ModelInfo
    ledger: Ledger
    open_engine: Callable[[ModelSpec], Engine]
    seed: int = 0
    replay: bool = False
    halt: Halt = field(default_factory=Halt)
    purse: Purse | NoPurse = field(default_factory=NoPurse)
    stats: WindowStats = field(default_factory=WindowStats)
    in_flight: int = 0
    """Requests that are sent and not answered."""
    paid: dict[str, Paid] = field(default_factory=dict)
    """New replies by step."""
    health: Health = field(init=False)
    turns: Turns | None = None
    _engine: Engine | None = None
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _pending: dict[tuple[bytes, int], asyncio.Future[Entry]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.health = Health(self.spec.name)
        self.halt.listeners.append(self._hold_back)

    @property
    def waiting(self) -> int:
        """Requests that wait for their turn."""
        return self.turns.waiting if self.turns else 0

    def note(self) -> str:
        """How the engine does, in a few words; empty where there is nothing to say."""
        return self._engine.note() if self._engine else ""

    async def ask(
        self, messages: tuple[Message, ...], sampling: Mapping[str, Any], draw: int, step: str = ""
    ) -> Entry:
        """A completion of the messages, from the ledger or the engine.

        Raises:
            EngineError: It failed for good.
            HeldBackError: The run stops, and it would have to be sent.
            OSError: The completion cannot be saved.
            MissingError: On replay, if the ledger does not hold it.
        """
        digest = self.info.digest_for(messages)
        request = Request(digest, messages, sampling_of(sampling), draw)
        key = key_of(request)
        if (entry := self.ledger.get(key, request.sampling.max_tokens)) is not None:
            self.stats.reused += 1
            note_held()
            return entry
        if self.replay:
            raise MissingError(f"the ledger has no completion for draw {draw} of {self.spec.name}")
        token = (key, request.sampling.max_tokens)
        if (waiting := self._pending.get(token)) is not None:
            self.stats.shared += 1
            note_held()
            return await asyncio.shield(waiting)
        future: asyncio.Future[Entry] = asyncio.get_running_loop().create_future()
        self._pending[token] = future
        try:
            seed = (int.from_bytes(key[:4], "big") ^ self.seed) & 0x7FFFFFFF
            entry = await self._send(step, replace(request, seed=seed), key)
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

    async def _send(self, step: str, request: Request, key: bytes) -> Entry:
        """Send a request until it is answered, or until that is of no use any more."""
        turns, engine = await self._started()
        fare = Fare(seen=self.health.answers)
        while True:
            asked = time.monotonic()
            await turns.enter(step, fare.deaths)
            try:
                self.stats.queued += time.monotonic() - asked
                claimed = self.ledger.claim(key, request.sampling.max_tokens)
                if isinstance(claimed, Entry):  # by another process, since it was looked up
                    self.stats.reused += 1
                    note_held()
                    return claimed
                if claimed:
                    # Its slot stays taken until it is durable: what is under way is all that a
                    # kill can cost, whatever the disk is doing.
                    return await self._once(engine, step, request, key)
                pause = random.uniform(0.5, 1.5) * ELSEWHERE_SECONDS
            except EngineError as error:
                pause = self._failed(error, fare)
                if self.health.absent and not fare.deaths:
                    # With its slot held, so that not everybody tries in vain.
                    turns.limit = 1
                    await self.halt.sleep(self.health.probe_wait())
                    pause = 0.0
            finally:
                self.ledger.release(key)
                turns.leave()
            if pause:
                await self.halt.sleep(pause)

    async def _once(self, engine: Engine, step: str, request: Request, key: bytes) -> Entry:
        stats = self.stats
        reserved = await self._reserve(step, request)
        stats.sent += 1
        self.in_flight += 1
        started = time.monotonic()
        tab = note_sent(started)
        if self.in_flight == 1:
            stats.at_work_since, stats.working = started, True
        stats.busy_since = stats.busy_since or started
        try:
            completion = await engine.complete(request)
        except EngineError as error:
            self.purse.settle(reserved, lost=is_lost(error.kind))
            raise
        except BaseException:  # the server may have written, and billed, all of it
            self.purse.settle(reserved, lost=True)
            raise
        finally:
            self.in_flight -= 1
            back = time.monotonic()
            if tab is not None:
                tab.back(started, back)
            if not self.in_flight:
                stats.at_work += back - stats.at_work_since
                stats.working = False
        self.purse.settle(reserved, completion)
        stats.busy_until = ended = time.monotonic()
        self.health.answered()
        if self.turns is not None:
            self.turns.open()
        stats.prompt_tokens += completion.prompt_tokens
        stats.completion_tokens += completion.completion_tokens
        stats.cached_tokens += completion.cached_tokens
        stats.hidden_tokens += hidden_tokens(completion)
        stats.queued += completion.waited
        seconds = ended - started - completion.waited
        stats.under_way += seconds
        self.paid.setdefault(step, Paid()).add(completion, seconds)
        note_paid(self.spec.name, completion, seconds)
        entry = self._entry(request, key, completion, seconds)
        try:
            await self.ledger.put(entry)
        except OSError as error:  # nothing more is paid for that cannot be kept
            self.halt.call("disk", str(error))
            raise
        return entry

    async def _reserve(self, step: str, request: Request) -> Reservation:
        """Set the worst case of a request aside, or stop the run if there is no room for it."""
        most = request.sampling.max_tokens
        try:
            reserved = await self.purse.reserve(step, self.spec.name, input_bound(request), most)
        except Exhausted as error:
            cause: Cause = "deadline" if error.gauge.kind in TIMED else "cap"
            self.halt.call(cause, str(error), raised(error))
            raise HeldBackError from error
        if self.halt.called:  # while it waited for room
            self.purse.release(reserved)
            raise HeldBackError
        return reserved

    def _failed(self, error: EngineError, fare: Fare) -> float:
        try:
            pause = self.health.failed(error, fare)
        except EngineDownError as down:
            self.halt.call("engine", str(down))
            raise HeldBackError from down
        except EngineError:
            self.stats.failed += 1
            raise
        self.stats.retried += 1
        return pause

    def _entry(self, request: Request, key: bytes, completion: Completion, seconds: float) -> Entry:
        return Entry(
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

    async def _started(self) -> tuple[Turns, Engine]:
        """The engine, started when it is first asked for anything."""
        if self.turns is not None and self._engine is not None:
            return self.turns, self._engine
        async with self._starting:
            if self.halt.called:
                raise HeldBackError
            if self.turns is None or self._engine is None:
                engine = self.open_engine(self.spec)
                self.purse.clock.engine_up(self.spec.engine)
                try:
                    await engine.start()
                except EngineError as error:
                    await engine.close()
                    self.purse.clock.engine_down(self.spec.engine)
                    self.halt.call("engine", f"{self.spec.name} did not start: {error}")
                    raise HeldBackError from error
                except BaseException:
                    await engine.close()
                    self.purse.clock.engine_down(self.spec.engine)
                    raise
                self._engine, self.turns = engine, Turns(engine.slots)
                if self.halt.called:
                    self.turns.close()
            return self.turns, self._engine

    def _hold_back(self) -> None:
        if self.turns is not None:
            self.turns.close()

    async def close(self) -> None:
        """Free the engine."""
        self._hold_back()
        if self._engine is not None:
            await self._engine.close()
            self.purse.clock.engine_down(self.spec.engine)
            self._engine = None


def sampling_of(values: Mapping[str, Any]) -> Sampling:
    """Sampling from the plan's JSON."""
    return Sampling(**{**values, "stop": tuple(values.get("stop") or ())})
