"""Ask an engine many things at once, trying again as the window does."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mashbill.runtime.engines import http
from mashbill.runtime.engines.base import ModelSpec
from mashbill.runtime.requests import Completion, EngineError, Message, Request, Sampling


def ask(number: int, text: str = "What is", **sampling: Any) -> Request:
    """A request unlike all others."""
    message = Message("user", f"{text} {number}?")
    return Request("m", (message,), Sampling(**sampling), seed=number)


def model(*urls: str, **placement: Any) -> ModelSpec:
    """An `http` model."""
    return ModelSpec("writer", "http", "some", urls=urls, placement=placement)


@dataclass(slots=True)
class Outcome:
    """What came of all requests: in their order, and the faults on the way by kind."""

    replies: list[Completion | EngineError]
    faults: Counter[str] = field(default_factory=Counter)
    notes: set[str] = field(default_factory=set)
    """What the engine said at each error …"""
    note: str = ""
    """… and at the end."""

    @property
    def lost(self) -> list[EngineError]:
        """The errors that stayed."""
        return [r for r in self.replies if isinstance(r, EngineError)]


def run(
    spec: ModelSpec,
    requests: Sequence[Request],
    *,
    tries: int = 1,
    at: dict[int, Callable[[], object]] | None = None,
) -> Outcome:
    """Send requests, as many at once as the engine has slots.

    Args:
        spec: The model.
        requests: To send.
        tries: Of each one, while its errors can be retried.
        at: What to do when so many have been answered, in a thread.
    """

    async def main() -> Outcome:
        engine = http.open_engine(spec)
        await engine.start()
        outcome = Outcome([EngineError("none", "", retryable=False)] * len(requests))
        left = iter(enumerate(requests))
        events = dict(at or {})
        answered = 0

        async def once(request: Request) -> Completion | EngineError:
            error = EngineError("none", "not tried", retryable=False)
            for attempt in range(tries):
                try:
                    return await engine.complete(request)
                except EngineError as caught:
                    error = caught
                    outcome.faults[error.kind] += 1
                    outcome.notes.add(engine.note())
                    if not error.retryable or attempt + 1 == tries:
                        break
                    await asyncio.sleep(max(error.retry_after or 0.0, 0.02))
            return error

        async def work() -> None:
            nonlocal answered
            for number, request in left:
                outcome.replies[number] = await once(request)
                answered += 1
                if answered in events:
                    await asyncio.to_thread(events.pop(answered))

        try:
            await asyncio.gather(*(work() for _ in range(engine.slots)))
            outcome.note = engine.note()
        finally:
            await engine.close()
        return outcome

    return asyncio.run(main())
