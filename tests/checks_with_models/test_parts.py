"""The parts: one judge of two sorts of checks, what `plan` hears, tallies."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mashbill.runtime.checkpool import CheckPool
from mashbill.runtime.consult import Consult
from mashbill.runtime.judging import judging
from mashbill.runtime.ledger import Entry
from mashbill.runtime.rehearsal import check_facts
from mashbill.runtime.requests import EngineError, Message
from mashbill.runtime.specs import check_specs
from mashbill.runtime.tally import Tally, never_passed, tallied
from mashbill.runtime.tools import NOBODY, Line
from mashbill.runtime.verdict import Row, Verdict
from tests.compiler.world import plan_of

from .test_binding import FILES, RECIPE

ASK = (Message("user", "?"),)


def specs(*checks: tuple[str, bool]) -> Any:
    models = {"model": {"sampling": {"max_tokens": 5}}}
    return check_specs(
        [
            {"name": name, "kind": name, "params": {}, **({"models": models} if asks else {})}
            for name, asks in checks
        ]
    )


class World:
    """Workers and models that note who was asked."""

    def __init__(self, failing: str = "", broken: bool = False) -> None:
        self.asked: list[str] = []
        self.failing, self.broken = failing, broken

    async def workers(self, checks: Any, row: Row) -> tuple[Verdict, ...]:
        self.asked.append("+".join(c.name for c in checks))
        return tuple(Verdict(c.name != self.failing, c.name) for c in checks)

    async def ask(self, messages: Any, sampling: Any, draw: int) -> Entry:
        if self.broken:
            raise EngineError("status-400", "no", retryable=False)
        return Entry(bytes([draw]) * 16, "yes", "stop", 1, 1, int(sampling["max_tokens"]))

    def build(self, spec: Any) -> Any:
        async def check(row: Row, consult: Consult) -> Verdict:
            self.asked.append(spec.name)
            for draw in (1, 2, 1):
                await consult.ask("model", ASK, draw=draw)
            return Verdict(spec.name != self.failing, spec.name)

        return check

    def judge(self, *checks: tuple[str, bool]) -> tuple[Verdict, ...]:
        line = Line(self.ask, NOBODY.tokens)
        lines = {f"checks.{name}.model": line for name, asks in checks if asks}
        made = judging(self.workers, lines, self.build)

        async def work() -> tuple[Verdict, ...]:
            return await made(specs(*checks), {})

        return asyncio.run(work())


def test_checks_of_a_sort_go_together_and_the_first_failure_ends_it() -> None:
    every = (("a", False), ("b", False), ("c", True), ("d", True))
    world = World()
    assert [v.passed for v in world.judge(*every)] == [True] * 4
    assert world.asked == ["a+b", "c", "d"]
    world = World("c")
    assert [v.passed for v in world.judge(*every)] == [True, True, False]
    assert world.asked == ["a+b", "c"]
    world = World("b")
    assert not world.judge(*every)[-1].passed
    assert world.asked == ["a+b"]


def test_a_verdict_says_which_calls_it_rests_on() -> None:
    (verdict,) = World().judge(("c", True))
    assert verdict.calls == ("01" * 16, "02" * 16)


def test_what_the_engine_raises_comes_through() -> None:
    with pytest.raises(EngineError):
        World(broken=True).judge(("c", True))


def test_checks_of_plug_ins_run_in_workers() -> None:
    async def work() -> tuple[Verdict, ...]:
        pool = CheckPool(1)
        try:
            spec = check_specs([{"name": "end", "kind": "either", "params": {"got": "text"}}])
            return await pool.judge(spec, {"text": "open"})
        finally:
            await pool.close()

    (verdict,) = asyncio.run(work())
    assert verdict == Verdict(False, "open", {"end": "open"})


def test_what_a_check_would_ask_is_heard_without_asking() -> None:
    recipe = RECIPE.replace("j2 }", "j2, votes: 3 }")
    loud = FILES["prompts/jury.md.j2"].replace("votes. <", "votes. good <")
    node = plan_of(recipe, {"prompts/jury.md.j2": loud}).node("good")

    class Words:
        special = ()

        def count(self, texts: Any) -> list[int]:
            return [len(t.split()) for t in texts]

        def count_chat(self, chats: Any) -> list[int]:
            return [sum(len(m.content.split()) for m in chat) for chat in chats]

    line = Line(NOBODY.ask, Words())
    rows = [{"text": "one"}, {"text": "two words"}]
    (facts,) = asyncio.run(check_facts(node, rows, {"checks.jury.model": line})).values()
    # The toy stops at the first juror's first reply, which is empty here.
    assert facts.calls == 1
    assert facts.prompt_tokens == pytest.approx((6 + 7) / 2)
    assert facts.reply_tokens == 512


def test_tallies() -> None:
    world = World("b")
    found: dict[str, Tally] = {}
    judge = tallied(world.workers, found)

    async def work() -> None:
        for _ in range(60):
            await judge(specs(("a", False), ("b", False)), {})

    asyncio.run(work())
    assert (found["a"].judged, found["a"].passed) == (60, 60)
    assert found["b"].to_json()["failed"] == {"b": 60}
    low, high = found["a"].to_json()["interval"]
    assert 0.9 < low < high == 1.0
    record = {"s": {name: t.to_json() for name, t in found.items()}}
    assert [(step, name) for step, name, _ in never_passed(record)] == [("s", "b")]
