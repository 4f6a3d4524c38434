"""Samples of one prompt, sent as one request: they come as calls of their own, in one tick."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from ..requests import EngineError, Request, Sampling

_GREEDY = 1e-5
"""vLLM takes a lower temperature for zero, and draws one reply only then."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply of a group.

    Attributes:
        output: vLLM's `CompletionOutput`.
        cached: Tokens of the prompt that had been computed before.
        seed: What it was drawn with.
    """

    output: Any
    cached: int
    seed: int


@dataclass(slots=True)
class Siblings:
    """Gathers requests of one prompt and one sampling for a tick of the event loop.

    Attributes:
        send: Sends a request for so many replies under a name; yields vLLM's `RequestOutput`s.
    """

    send: Callable[[Request, int, str], AsyncIterator[Any]]
    requests: int = 0
    """How many were sent to vLLM: fewer than replies where siblings met."""
    _gathering: dict[tuple[Any, Sampling], list[tuple[Request, asyncio.Future[Answer]]]] = field(
        default_factory=dict
    )
    _running: set[asyncio.Task[None]] = field(default_factory=set)
    _ids: itertools.count[int] = field(default_factory=itertools.count)

    async def ask(self, request: Request) -> Answer:
        """The reply to one request. Raises what `send` raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        key = (request.messages, request.sampling)
        if request.sampling.temperature < _GREEDY:
            self._start([(request, future)])
        elif (group := self._gathering.get(key)) is not None:
            group.append((request, future))
        else:
            self._gathering[key] = [(request, future)]
            loop.call_soon(self._start_gathered, key)
        return await future

    async def close(self) -> None:
        """Give up what is under way."""
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _start_gathered(self, key: tuple[Any, Sampling]) -> None:
        self._start(self._gathering.pop(key))

    def _start(self, group: list[tuple[Request, asyncio.Future[Answer]]]) -> None:
        # By draw, so that the same samples get the same seeds however they came.
        group = sorted((g for g in group if not g[1].done()), key=lambda g: (g[0].draw, g[0].seed))
        if not group:
            return
        self.requests += 1
        task = asyncio.create_task(self._drive(group, str(next(self._ids))))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        futures = [future for _, future in group]

        def gone(left: asyncio.Future[Answer]) -> None:
            # Nobody waits any more: the engine need not go on.
            if left.cancelled() and all(future.done() for future in futures):
                task.cancel()

        for future in futures:
            future.add_done_callback(gone)

    async def _drive(self, group: list[tuple[Request, asyncio.Future[Answer]]], name: str) -> None:
        first = group[0][0]
        try:
            async for answer in self.send(first, len(group), name):
                for output in answer.outputs:
                    future = group[output.index][1]
                    if output.finish_reason is not None and not future.done():
                        cached = answer.num_cached_tokens or 0
                        future.set_result(Answer(output, cached, first.seed + output.index))
            failed: BaseException = EngineError(
                "half-reply", "vLLM ended a request without its reply", retryable=True
            )
        except asyncio.CancelledError:
            # Not the callers' own end: they are told, and may send again.
            failed = EngineError("crash", "vLLM was stopped", retryable=True)
        except Exception as reason:
            failed = reason
        for _, future in group:
            if not future.done():
                future.set_exception(failed)
