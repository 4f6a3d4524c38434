"""Real runs: what each step paid for, what was estimated beside it, what is said meanwhile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mashbill.compiler.plan import Plan
from mashbill.runtime.afterwards import spent_by_step
from mashbill.runtime.api import load
from mashbill.runtime.cohort import Cohort
from mashbill.runtime.engines.fake import FakeEngine
from mashbill.runtime.history.lines import read_lines
from mashbill.runtime.progress import journal
from mashbill.runtime.progress.meter import Meter
from mashbill.runtime.requests import Completion, EngineError, Request
from mashbill.runtime.standing import standing_of
from mashbill.runtime.tab import Paid
from mashbill.runtime.window.stats import WindowStats
from tests.judges.test_run import spine as judged
from tests.runtime.conftest import (
    RECIPE,
    Spine,
    checks_in_this_process,
    documents,
    make_spine,
    spine,
)

__all__ = ["checks_in_this_process", "spine"]

PRICE = "price: { input: 1, output: 20, per: 1M tokens, as_of: 2026-11-01 }"
TALE = """\
  tale:
    op: rewrite
    from: book
    again: true
    model: writer
    prompt: prompts/tale.md.j2
    checks: { kept: { kind: expr, pass: "not contains(text, 'no such word')" } }
    on_fail: [reject]
mix:
"""
TWO = RECIPE.replace("mix:\n", TALE).replace("book: 50% }", "tale: 50% }")
TWO = TWO.replace("use: fake/rewrite,", f"use: fake/rewrite, {PRICE},")


def events(spine: Spine, run: str = "r-0001") -> list[dict[str, Any]]:
    text = (spine.folder / f".mashbill/runs/{run}/events.ndjson").read_text()
    return [json.loads(line) for line in text.splitlines()]


def two_steps(folder: Path, rows: int = 40) -> Spine:
    made = make_spine(folder, documents(rows), recipe=TWO)
    prompt = (folder / "prompts/book.md.j2").read_text().replace("Keep all facts", "Tell a tale")
    (folder / "prompts/tale.md.j2").write_text(prompt)
    return made


def test_each_step_pays_for_its_own(tmp_path: Path) -> None:
    record = two_steps(tmp_path).good_run()
    paid, model = record["paid"], record["models"]["writer"]
    assert set(paid) == {"book", "tale"}
    by_step = {step: found["models"]["writer"] for step, found in paid.items()}
    for name, total in (
        ("calls", model["sent"]),
        ("prompt_tokens", model["prompt_tokens"]),
        ("reply_tokens", model["completion_tokens"]),
        ("usd", model["usd"]),
    ):
        assert sum(p[name] for p in by_step.values()) == pytest.approx(total)
    assert by_step["book"]["calls"] == record["steps"]["book"]["attempts"]
    assert by_step["tale"]["calls"] == record["steps"]["tale"]["attempts"]
    assert paid["tale"]["rows"] == record["steps"]["tale"]["in"] and paid["tale"]["held"] == 0
    steps = record["afterwards"]["steps"]
    assert steps["tale"]["calls"]["actual"] == by_step["tale"]["calls"]
    assert record["afterwards"]["total"]["usd"]["actual"] == pytest.approx(model["usd"])


def test_faults_and_rows_that_meet_are_paid_for_once(tmp_path: Path) -> None:
    texts = [*documents(20), *documents(20)]
    spine = make_spine(tmp_path, texts, recipe=RECIPE.replace("LATENCY", "2ms, fault_rate: 0.1"))
    record = spine.good_run()
    model, paid = record["models"]["writer"], record["paid"]["book"]
    assert model["retried"] > 0 and model["shared"] > 0
    assert paid["models"]["writer"]["calls"] == model["sent"] - model["retried"]
    assert paid["rows"] + paid["held"] == 40 and paid["held"] > 0


def test_the_end_says_what_was_estimated(spine: Spine) -> None:
    said = spine.run()
    assert "Estimated → actual\n   calls " in said.out
    block = said.out.partition("Estimated → actual")[2].partition("\n\n")[0]
    assert "= " in block and max(map(len, block.splitlines())) <= 80
    status = spine.do("status").out
    assert "Estimated → actual\n  calls " in status


def test_a_run_that_pauses_says_how_far_it_came(tmp_path: Path) -> None:
    recipe = RECIPE + "budget: { requests: 100 }\n"
    capped = make_spine(tmp_path, documents(60), recipe=recipe, latency="1ms")
    assert capped.run("--over-budget").code == 5
    found = capped.last()["afterwards"]
    assert found["complete"] is False and found["total"]["calls"]["actual"] == 100
    assert found["total"]["calls"]["inside"] is None
    assert "Estimated → actual, up to the pause" in capped.do("status").out


def test_runs_that_go_on_are_held_against_what_was_left(tmp_path: Path) -> None:
    recipe = RECIPE + "budget: { requests: 150 }\n"
    capped = make_spine(tmp_path, documents(60), recipe=recipe, latency="1ms")
    assert capped.run("--over-budget").code == 5
    assert capped.run("--set", "budget.requests=10k").code == 0
    record = capped.record()
    total = record["afterwards"]["total"]["calls"]
    assert total["actual"] == record["models"]["writer"]["sent"]
    assert total["estimated"] < capped.last()["steps"]["book"]["attempts"] * 1.1
    assert record["paid"]["book"]["held"] > 0


# -- on the way


def test_status_and_events_carry_the_forecast(tmp_path: Path) -> None:
    record = two_steps(tmp_path).good_run()
    view = standing_of(tmp_path / ".mashbill/runs/r-0001").view
    assert view is not None and view.forecast.planned is not None
    progress = json.loads((tmp_path / ".mashbill/runs/r-0001/progress.json").read_text())
    ahead = progress["forecast"]
    sent = record["models"]["writer"]["sent"]
    assert ahead["calls"] == sent == ahead["whole"]["calls"]["value"], "it ends as what happened"
    assert ahead["whole"]["usd"]["value"] == pytest.approx(record["models"]["writer"]["usd"])
    assert set(ahead["steps"]) == {"book", "tale"}


def test_a_run_that_leaves_its_plan_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan is told that each step takes a third of what it will."""
    spine = make_spine(tmp_path, documents(400, sentences=1), latency="5ms")
    monkeypatch.setattr(journal, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(journal, "LOOK_SECONDS", 0.01)
    look = Meter.look

    def third(value: Any) -> Any:
        if isinstance(value, dict):
            if "basis" in value and isinstance(value.get("value"), float):
                small = value["value"] / 3
                return {**value, "value": small, "low": small * 0.9, "high": small * 1.1}
            return {k: third(v) for k, v in value.items()}
        return value

    def misled(meter: Meter, execution: Any) -> Any:
        told = execution.estimates
        if told and "misled" not in told:
            kept = {
                n: {k: v for k, v in s.items() if k != "rows_in"} for n, s in told["steps"].items()
            }
            rows = {n: {"rows_in": s["rows_in"]} for n, s in told["steps"].items()}
            steps = {n: {**third(kept[n]), **rows[n]} for n in kept}
            total = third(told.get("total"))
            if not total:
                total = {q: steps["book"][q] for q in ("calls", "prompt_tokens", "reply_tokens")}
            execution.estimates = {**told, "steps": steps, "total": total, "misled": True}
        return look(meter, execution)

    monkeypatch.setattr(Meter, "look", misled)
    said = spine.do("run")
    assert said.code == 0
    told = [e for e in events(spine) if e.get("code") == "B557"]
    assert told == [json.loads(x) for x in said.err.splitlines() if '"B557"' in x]
    assert sorted(e["message"].split(" are ")[0] for e in told) == [
        "calls", "tokens in", "tokens out",
    ]  # fmt: skip
    assert all("× the plan after " in e["message"] and e["event"] == "warning" for e in told)


def test_a_run_that_keeps_to_its_plan_says_nothing(spine: Spine) -> None:
    spine.edit("    on_fail: [{ retry: 2 }, { fallback: input }]\n", "")
    spine.edit("not contains(text, 'Maren')", "words(text) > 0")
    spine.do("run")
    assert not [e for e in events(spine) if e.get("code") == "B557"]


# -- hours


class Asked:
    """A window that has been asked."""

    def __init__(self, busy: float, **paid: Paid) -> None:
        self.stats = WindowStats(at_work=busy)
        self.paid = paid


def plan_with(engine: str, **more: Any) -> Plan:
    models = {"writer": {"engine": engine, "price": None}}
    return Plan({}, (), (), models, {}, None, {}, None, **more)


def test_hours_are_shared_out_by_time_under_way() -> None:
    window = Asked(36.0, book=Paid(3, 30, 300, 0, 75.0), tale=Paid(1, 10, 100, 0, 25.0))
    hardware = {"gpu": "H200", "count": 4, "usd_per_gpu_hour": 3.0}
    windows: Any = {"writer": window}
    found = spent_by_step(plan_with("vllm", hardware=hardware), windows, {})
    book, tale = (found[n]["models"]["writer"] for n in ("book", "tale"))
    assert (book["gpu_hours"], tale["gpu_hours"]) == (pytest.approx(0.03), pytest.approx(0.01))
    assert book["usd"] == pytest.approx(0.09), "by the hour"
    local = spent_by_step(plan_with("local", hardware=hardware), windows, {"book": Cohort()})
    assert local["book"]["models"]["writer"]["gpu_hours"] == pytest.approx(0.0075)
    hosted = spent_by_step(plan_with("http"), windows, {})["book"]["models"]["writer"]
    assert (hosted["gpu_hours"], hosted["usd"]) == (0.0, None), "nobody knows its price"
    prices = {"prices": {"writer": {"input": 1e-3, "output": 1e-2, "as_of": "2026-11-01"}}}
    priced = spent_by_step(plan_with("http"), windows, {}, prices)["book"]["models"]["writer"]
    assert priced["usd"] == pytest.approx(30e-3 + 3.0)


def test_a_model_is_at_work_while_a_request_is_under_way() -> None:
    stats = WindowStats(at_work=3.0, at_work_since=10.0, busy_until=12.0, working=True)
    assert stats.busy == 5.0
    assert WindowStats(at_work=3.0, at_work_since=10.0, busy_until=12.0).busy == 3.0


def test_rows_that_end_in_errors_teach_nothing(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = FakeEngine.complete

    async def broken(self: FakeEngine, request: Request) -> Completion:
        if "Station 3 " in request.messages[-1].content:
            raise EngineError("status-400", "no", retryable=False)
        return await complete(self, request)

    monkeypatch.setattr(FakeEngine, "complete", broken)
    spine.run()
    paid = spine.last()["paid"]["book"]
    assert paid["settled"]["rows"] == 39 and paid["rows"] == 40


def test_replies_to_checks_are_paid_for_by_their_step(tmp_path: Path) -> None:
    """A step that a judge alone decides: its calls are its own, and its yield is remembered."""
    here = judged(tmp_path)
    record = here.good_run()
    paid, models = record["paid"], record["models"]
    for step, model in (("book", "writer"), ("judged", "judge"), ("scored", "rm")):
        assert set(paid[step]["models"]) == {model}
        assert paid[step]["models"][model]["calls"] == models[model]["sent"]
    total = record["afterwards"]["total"]["calls"]
    assert total["actual"] == sum(m["sent"] for m in models.values())
    lines = {line.step: line for line in read_lines(tmp_path / ".mashbill")}
    assert set(lines) == {"book", "judged", "scored"}
    assert lines["judged"].rows == 24 and lines["judged"].calls == 0, "it has no model of its own"
    assert lines["judged"].rows_out == pytest.approx(record["steps"]["judged"]["out"] / 24)
    plan = load(tmp_path / "recipe.yaml").plan()
    assert plan.estimates is not None and plan.facts is not None
    assert set(plan.facts.priors) == {"book", "judged", "scored"}
