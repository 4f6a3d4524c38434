"""What a change of the recipe pays again, and what it does not."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from mashbill.runtime.engines.base import ModelInfo, ModelSpec
from mashbill.runtime.halt import HeldBackError
from mashbill.runtime.ladder import STRIDE
from mashbill.runtime.ledger import Entry, Ledger
from mashbill.runtime.requests import Completion, EngineError, Message, Request
from mashbill.runtime.window import Window, health

from .conftest import MODELS, PROMPT, Spine, documents, make_spine

STEPS = """\
steps:
  first:
    op: generate
    from: docs
    model: writer
    prompt: prompts/book.md.j2
    samples: 2
    sampling: { max_tokens: 60 }
  second:
    op: generate
    from: first
    model: writer
    prompt: prompts/other.md.j2
output: { columns: [text, _id, _doc] }
"""


def project(tmp_path: Path, steps: str = STEPS, rows: int = 10) -> Spine:
    spine = make_spine(tmp_path, documents(rows, 2), recipe=MODELS + steps)
    (spine.folder / "prompts/other.md.j2").write_text(PROMPT.replace("Keep", "Do keep"))
    return spine


def draws(sent: list[str]) -> Counter[int]:
    return Counter(int(line.split()[1]) for line in sent)


def test_more_samples_pay_only_the_new_ones(tmp_path: Path) -> None:
    spine = project(tmp_path, STEPS[: STEPS.index("  second")])
    spine.good_run()
    assert draws(spine.sent()) == {0: 10, 1: 10}
    before = set(spine.rows()["_id"])
    spine.edit("samples: 2", "samples: 4")
    spine.good_run("--replace")
    assert draws(spine.sent()) == {0: 10, 1: 10, 2: 10, 3: 10}
    assert len(spine.rows()) == 40
    assert len(before) == 20


def test_a_changed_prompt_pays_its_own_step_only(tmp_path: Path) -> None:
    spine = project(tmp_path)
    spine.good_run()
    count = len(spine.sent())
    other = spine.folder / "prompts/other.md.j2"
    other.write_text(other.read_text().replace("Do keep", "Please keep"))
    record = spine.good_run("--replace")
    assert record["steps"]["first"]["attempts"] == 20
    assert record["steps"]["second"]["attempts"] == 20
    # Some first replies are equal, and ask the same of the second step.
    assert len(spine.sent()) - count == count - 20
    assert set(spine.sent()[:count]).isdisjoint(spine.sent()[count:])


def test_more_tokens_pay_only_what_was_truncated(tmp_path: Path) -> None:
    spine = project(tmp_path, STEPS[: STEPS.index("  second")].replace("60", "24"))
    long = [t * 3 for t in documents(4, 2)]
    spine.feed({"text": t} for t in [*long, "A short one that ends well in time."])
    record = spine.good_run()
    assert record["steps"]["first"]["failures"] == {"truncated": 8}
    spine.edit("max_tokens: 24", "max_tokens: 400")
    before = spine.sent()
    record = spine.good_run("--replace")
    assert Counter(spine.sent()[len(before) :]) == Counter(before) - Counter(
        line for line in before if spine.sent().count(line) == 1
    )
    assert len(spine.sent()) == 18
    assert record["models"]["writer"]["reused"] == 2
    assert record["steps"]["first"]["failures"] == {}


def test_a_retry_never_meets_its_own_failure(tmp_path: Path) -> None:
    steps = STEPS[: STEPS.index("  second")].replace("samples: 2", "samples: 1") + (
        "    checks: { never: { kind: expr, pass: \"contains(text, 'no such words')\" } }\n"
        "    on_fail: [{ retry: 2 }, { fallback: input }]\n"
    )
    spine = project(tmp_path, steps)
    spine.good_run()
    assert draws(spine.sent()) == {0: 10, STRIDE: 10, 2 * STRIDE: 10}
    assert len(set(spine.sent())) == 30
    spine.forget_output()
    spine.good_run()
    assert len(spine.sent()) == 30, "failures are remembered too"
    spine.edit("retry: 2", "retry: 3")
    spine.good_run("--replace")
    assert draws(spine.sent())[3 * STRIDE] == 10
    assert len(spine.sent()) == 40


# -- the window by itself


class Scripted:
    """An engine that fails as told, then replies."""

    def __init__(self, faults: list[EngineError], delay: float = 0.0) -> None:
        self.faults = faults
        self.delay = delay
        self.asked: list[Request] = []
        self.most = self.now = 0

    slots = 4

    async def start(self) -> None:
        pass

    async def complete(self, request: Request) -> Completion:
        self.asked.append(request)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(self.delay)
            if self.faults:
                raise self.faults.pop(0)
        finally:
            self.now -= 1
        return Completion("reply", "stop", 1, 1, request.sampling.max_tokens)

    async def close(self) -> None:
        pass

    def note(self) -> str:
        return ""


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "FIRST_WAIT", 0.0005)
    monkeypatch.setattr(health, "LONGEST_WAIT", 0.001)
    monkeypatch.setattr(health, "LONGEST_PROBE", 0.0005)


def window_of(engine: Scripted, ledger: Ledger) -> Window:
    spec = ModelSpec("writer", "fake", "x")
    return Window(spec, ModelInfo("digest", None, True), ledger, lambda _: engine)


def ask(window: Window, text: str, draw: int = 0) -> Coroutine[Any, Any, Entry]:
    return window.ask((Message("user", text),), {"max_tokens": 9}, draw)


def fault(kind: str = "status-500", retryable: bool = True) -> EngineError:
    return EngineError(kind, kind, retryable=retryable)


def test_identical_requests_in_flight_are_sent_once(tmp_path: Path) -> None:
    engine = Scripted([fault()], delay=0.01)

    async def work() -> None:
        with Ledger.open(tmp_path, window=0.001) as ledger:
            window = window_of(engine, ledger)
            entries = await asyncio.gather(*(ask(window, f"{i % 3}") for i in range(30)))
            assert len({e.key for e in entries}) == 3
            assert window.stats.shared == 27
            await ask(window, "0")
            assert window.stats.reused == 1
            assert not window._pending

    asyncio.run(work())
    assert len(engine.asked) == 4
    assert engine.most <= engine.slots


def test_a_shared_request_fails_for_all_and_leaves_nothing_behind(tmp_path: Path) -> None:
    engine = Scripted([fault("status-400", retryable=False)], delay=0.01)

    async def work() -> None:
        with Ledger.open(tmp_path, window=0.001) as ledger:
            window = window_of(engine, ledger)
            asked = (ask(window, "same") for _ in range(5))
            found = await asyncio.gather(*asked, return_exceptions=True)
            assert [type(f) for f in found] == [EngineError] * 5
            assert (await ask(window, "same")).text == "reply"

    asyncio.run(work())
    assert len(engine.asked) == 2


@pytest.mark.parametrize(
    ("kind", "retryable", "down"),
    [
        ("status-500", True, True),
        ("connect", True, True),
        ("status-401", False, True),
        ("status-400", False, False),
        ("overlong", False, False),
        ("status-429", True, False),
    ],
)
def test_which_failures_mean_that_the_engine_is_down(
    tmp_path: Path, kind: str, retryable: bool, down: bool
) -> None:
    engine = Scripted([fault(kind, retryable) for _ in range(4000)])

    async def work() -> None:
        with Ledger.open(tmp_path, window=0.001) as ledger:
            window = window_of(engine, ledger)
            asked = (ask(window, str(i)) for i in range(60))
            found = await asyncio.gather(*asked, return_exceptions=True)
            assert (window.halt.cause == "engine") == down
            assert any(isinstance(f, HeldBackError) for f in found) == down

    asyncio.run(work())


def test_a_success_in_between_means_that_it_is_up(tmp_path: Path) -> None:
    engine = Scripted([])

    async def work() -> None:
        with Ledger.open(tmp_path, window=0.001) as ledger:
            window = window_of(engine, ledger)
            for i in range(30):
                engine.faults = [fault() for _ in range(5)]
                assert (await ask(window, str(i))).text == "reply"

    asyncio.run(work())
    assert len(engine.asked) == 180


def test_failures_are_counted_in_the_order_of_replies(tmp_path: Path) -> None:
    """Many rows fail at once and many succeed between them: the engine is up."""
    engine = Scripted([])

    async def complete(request: Request) -> Completion:
        engine.asked.append(request)
        if len(engine.asked) % 3:
            raise fault()
        return Completion("reply", "stop", 1, 1, 9)

    engine.complete = complete  # type: ignore[method-assign]

    async def work() -> None:
        with Ledger.open(tmp_path, window=0.001) as ledger:
            window = window_of(engine, ledger)
            await asyncio.gather(*(ask(window, str(i)) for i in range(90)), return_exceptions=True)
            assert not window.halt.called

    asyncio.run(work())


def test_a_stop_lets_what_is_in_flight_finish_and_admits_nothing(tmp_path: Path) -> None:
    engine = Scripted([], delay=0.05)

    async def work() -> None:
        with Ledger.open(tmp_path, window=0.001) as ledger:
            window = window_of(engine, ledger)
            tasks = [asyncio.ensure_future(ask(window, str(i))) for i in range(10)]
            await asyncio.sleep(0.02)
            window.halt.call("user", "stop")
            found = await asyncio.gather(*tasks, return_exceptions=True)
            assert sum(isinstance(f, Entry) for f in found) == engine.slots
            assert sum(isinstance(f, HeldBackError) for f in found) == 10 - engine.slots
            assert ledger.stats().completions == engine.slots
            await window.close()

    asyncio.run(work())
    assert len(engine.asked) == engine.slots
