"""Turns between steps, suspects after a death of the engine, outages, and stops."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from mashbill.runtime.engines.base import ModelInfo, ModelSpec
from mashbill.runtime.halt import HeldBackError
from mashbill.runtime.ledger import Entry, Ledger
from mashbill.runtime.requests import Completion, EngineError, Message, Request
from mashbill.runtime.window import Window, health
from mashbill.runtime.window.turns import BURST, Turns

Reply = Callable[[str], Awaitable[None]]


class Scripted:
    """An engine that does what a function says, and notes what was in flight beside what."""

    def __init__(self, act: Reply, slots: int = 16) -> None:
        self.act, self.slots = act, slots
        self.flying: set[str] = set()
        self.beside: list[frozenset[str]] = []
        self.sent: list[str] = []

    async def start(self) -> None:
        pass

    async def complete(self, request: Request) -> Completion:
        text = request.messages[0].content
        self.sent.append(text)
        self.flying.add(text)
        self.beside.append(frozenset(self.flying))
        try:
            await self.act(text)
        finally:
            self.flying.discard(text)
        return Completion("reply", "stop", 1, 1, request.sampling.max_tokens)

    async def close(self) -> None:
        pass

    def note(self) -> str:
        return ""


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "FIRST_WAIT", 0.0005)
    monkeypatch.setattr(health, "LONGEST_WAIT", 0.001)
    monkeypatch.setattr(health, "LONGEST_PROBE", 0.01)


def asked(
    folder: Path, engine: Scripted, texts: list[str], steps: int = 1
) -> tuple[Window, list[Entry | BaseException]]:
    async def work() -> tuple[Window, list[Entry | BaseException]]:
        with Ledger.open(folder, window=0.0005) as ledger:
            spec = ModelSpec("writer", "fake", "x")
            window = Window(spec, ModelInfo("digest", None, True), ledger, lambda _: engine)
            works = (
                window.ask((Message("user", t),), {"max_tokens": 9}, 0, f"step{i % steps}")
                for i, t in enumerate(texts)
            )
            found = await asyncio.wait_for(asyncio.gather(*works, return_exceptions=True), 30)
            await window.close()
            assert window.turns is None or (window.turns.taken, window.turns.waiting) == (0, 0)
            return window, found

    return asyncio.run(work())


def kinds(found: list[Entry | BaseException]) -> Counter[str]:
    return Counter(f.kind if isinstance(f, EngineError) else type(f).__name__ for f in found)


def dying(poison: set[str], kind: str = "crash") -> tuple[Scripted, list[int]]:
    """An engine that dies, with all it was asked, when it is sent a poisoned prompt."""
    deaths = [0]
    died = asyncio.Event()

    async def act(text: str) -> None:
        nonlocal died
        mine = died
        if text in poison:
            await asyncio.sleep(0.001)
            deaths[0] += 1
            died, old = asyncio.Event(), died
            old.set()
        try:
            await asyncio.wait_for(mine.wait(), 0.004)
        except TimeoutError:
            return
        raise EngineError(kind, "it died", retryable=True)

    return Scripted(act), deaths


# -- turns


def test_steps_take_turns_in_bursts() -> None:
    async def work() -> list[str]:
        turns = Turns(1)
        await turns.enter("first")
        order: list[str] = []

        async def one(step: str) -> None:
            await turns.enter(step)
            order.append(step)
            await asyncio.sleep(0)
            turns.leave()

        works = [one("greedy") for _ in range(100)] + [one("late") for _ in range(40)]
        tasks = [asyncio.create_task(w) for w in works]
        await asyncio.sleep(0)
        turns.leave()
        await asyncio.gather(*tasks)
        return order

    order = asyncio.run(work())
    first = order.index("late")
    assert first == BURST, "a step that comes late waits for one burst, not for all that wait"
    assert order[first : first + BURST] == ["late"] * BURST, "neighbours go together"
    assert order[: 4 * BURST].count("greedy") == order[: 4 * BURST].count("late")
    assert Counter(order) == {"greedy": 100, "late": 40}


def test_a_slot_given_to_somebody_who_left_is_not_lost() -> None:
    async def work() -> None:
        turns = Turns(1)
        await turns.enter("a")
        gone = asyncio.create_task(turns.enter("a"))
        next_one = asyncio.create_task(turns.enter("b"))
        await asyncio.sleep(0)
        turns.leave()  # gone is given the slot, and cancelled before it runs
        gone.cancel()
        await asyncio.wait_for(next_one, 1)
        turns.leave()
        assert turns.taken == 0
        with pytest.raises(asyncio.CancelledError):
            await gone

    asyncio.run(work())


def test_nobody_enters_once_closed() -> None:
    async def work() -> None:
        turns = Turns(1)
        await turns.enter("a")
        waiting = [asyncio.create_task(turns.enter("a", deaths)) for deaths in (0, 1, 2)]
        await asyncio.sleep(0)
        turns.close()
        found = await asyncio.gather(*waiting, turns.enter("b"), return_exceptions=True)
        assert all(isinstance(f, HeldBackError) for f in found)
        turns.leave()

    asyncio.run(work())


# -- suspects


def test_a_poisoned_prompt_is_found_and_the_others_are_answered(tmp_path: Path) -> None:
    engine, deaths = dying({"t7"})
    window, found = asked(tmp_path, engine, [f"t{i}" for i in range(60)])
    assert kinds(found) == {"Entry": 59, "crash": 1}
    assert isinstance(found[7], EngineError)
    assert "this prompt alone does it" in str(found[7])
    assert deaths == [3], "with the others, in a group, alone"
    alone = [b for b in engine.beside if "t7" in b]
    assert min(len(b) for b in alone) == 1
    assert max(Counter(engine.sent).values()) <= 3
    assert not window.halt.called


def test_two_poisoned_prompts(tmp_path: Path) -> None:
    engine, _ = dying({"t3", "t40"})
    window, found = asked(tmp_path, engine, [f"t{i}" for i in range(60)], steps=3)
    assert kinds(found) == {"Entry": 58, "crash": 2}
    assert not window.halt.called


def test_an_engine_that_dies_of_everything_is_given_up(tmp_path: Path) -> None:
    texts = [f"t{i}" for i in range(60)]
    engine, _ = dying(set(texts))
    window, found = asked(tmp_path, engine, texts)
    assert window.halt.cause == "engine"
    assert "is down" in window.halt.message
    assert kinds(found)["HeldBackError"] >= 55
    assert len(engine.sent) <= 60 + 4 + 3, "a round, a group, three alone"


def test_a_server_far_away_that_a_prompt_kills(tmp_path: Path) -> None:
    """Its death shows as connections that are reset, which also has harmless causes."""
    engine, deaths = dying({"t7"}, "reset")
    window, found = asked(tmp_path, engine, [f"t{i}" for i in range(40)])
    assert kinds(found) == {"Entry": 39, "reset": 1}
    assert deaths == [5], "two that may mean nothing, then as with an engine of ours"
    assert not window.halt.called


# -- outages


def test_an_outage_costs_no_request_its_tries(tmp_path: Path) -> None:
    gone: list[float] = []

    async def act(text: str) -> None:
        if len(engine.sent) > 20:
            gone.append(time.monotonic())
            if time.monotonic() - gone[0] < 0.2:
                raise EngineError("connect", "no connection", retryable=True)
        await asyncio.sleep(0.001)

    engine = Scripted(act)
    window, found = asked(tmp_path, engine, [f"t{i}" for i in range(200)])
    assert kinds(found) == {"Entry": 200}
    assert window.stats.sent == window.stats.retried + 200
    assert window.stats.retried < 100, "while it is gone, one at a time asks whether it is back"
    assert max(len(b) for b in engine.beside[-100:]) > 1, "then all slots are used again"


def test_an_outage_ends_in_a_stop_that_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "DOWN_SECONDS", 0.05)
    calls = 0

    async def act(text: str) -> None:
        nonlocal calls
        calls += 1
        if calls > 20:
            raise EngineError("connect", "no connection", retryable=True)

    window, found = asked(tmp_path, Scripted(act), [f"t{i}" for i in range(50)])
    assert kinds(found) == {"Entry": 20, "HeldBackError": 30}, "no row is an error for that"
    assert window.halt.message == "writer is down: no connection"


@pytest.mark.parametrize(
    ("kind", "tries"), [("bad-reply", 10), ("status-500", 10), ("timeout", 10)]
)
def test_a_request_that_fails_by_itself_is_kept_aside(
    tmp_path: Path, kind: str, tries: int
) -> None:
    async def act(text: str) -> None:
        if text == "t5":
            raise EngineError(kind, "no", retryable=True)

    engine = Scripted(act, slots=4)
    window, found = asked(tmp_path, engine, [f"t{i}" for i in range(30)])
    assert kinds(found) == {"Entry": 29, kind: 1}
    assert min(tries, 3) <= engine.sent.count("t5") <= tries, "though at the end it is alone"
    assert not window.halt.called


def test_a_busy_server_is_waited_for(tmp_path: Path) -> None:
    calls = Counter[str]()

    async def act(text: str) -> None:
        calls[text] += 1
        if calls[text] <= 15:
            raise EngineError("status-429", "slow down", retryable=True)

    window, found = asked(tmp_path, Scripted(act, slots=8), [f"t{i}" for i in range(8)])
    assert kinds(found) == {"Entry": 8}
    assert not window.halt.called


# -- stops


def test_a_stop_wakes_those_who_wait_for_a_retry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "FIRST_WAIT", 1000.0)

    async def work() -> None:
        async def act(text: str) -> None:
            raise EngineError("status-503", "no", retryable=True, retry_after=500.0)

        with Ledger.open(tmp_path) as ledger:
            spec = ModelSpec("writer", "fake", "x")
            engine = Scripted(act)
            window = Window(spec, ModelInfo("digest", None, True), ledger, lambda _: engine)
            task = asyncio.create_task(window.ask((Message("user", "a"),), {}, 0))
            while not engine.sent:
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.01)
            window.halt.call("cap", "enough")
            with pytest.raises(HeldBackError):
                await asyncio.wait_for(task, 5)
            await window.close()

    asyncio.run(work())
