"""A plan says the same on any machine, at any load: a survey counts work, and does not time it."""

from __future__ import annotations

import asyncio
import importlib
import json
import pkgutil
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mashbill.compiler.estimating.estimates import Estimates
from mashbill.compiler.estimating.reading import read_estimates
from mashbill.compiler.registry import Pace
from mashbill.runtime import surveying
from mashbill.runtime.catalog import load_catalog
from mashbill.runtime.checkpool import CheckPool
from mashbill.runtime.cli import command
from mashbill.runtime.sources import sampler
from mashbill.runtime.surveying import drawing, effort
from tests.runtime.conftest import MODELS, documents

from .conftest import Surveyed, surveyed

SCHEMA = Path(__file__).parents[2] / "schemas" / "plan.schema.json"
STEPS = """\
steps:
  long: { op: filter, from: docs, keep: words(text) > 20 }
  book:
    op: rewrite
    from: long
    model: writer
    prompt: prompts/book.md.j2
    chunk: { by: sentence, max: 40 tokens }
    checks: { kept: { kind: expr, pass: "not contains(text, '11')" } }
    on_fail: [{ retry: 1 }, { fallback: input }]
  good:
    op: verify
    from: book
    checks: { short: { kind: expr, pass: "not contains(text, '50 ')" } }
"""
VERIFIED = """\
steps:
  good: { op: verify, from: docs, checks: { short: { kind: expr, pass: chars(text) > 9 } } }
"""
LEFT_OUT = "rows were left out, since looking at them took too long"


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sources give few rows at first, so that a survey has a choice how often to draw."""
    monkeypatch.setattr(sampler, "FIRST", 20)


@pytest.fixture
def paid(tmp_path: Path, batches: None) -> Surveyed:
    """A project after a run, of which an edit leaves no data set."""
    project = surveyed(tmp_path, documents(160), STEPS)
    project.spine.good_run()
    project.spine.write(MODELS + STEPS.replace("'50 '", "'51 '"))
    return project


def told(project: Surveyed, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    """What `mashbill plan` prints."""
    assert command(["plan", str(project.spine.folder), *more]) == 0
    return capsys.readouterr().out


def plan_of(project: Surveyed, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(told(project, capsys, "--format", "json"))
    Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(made)
    return made


def hasten(monkeypatch: pytest.MonkeyPatch, times: float) -> None:
    """Let all clocks of surveys run so many times as fast: a machine that is as much slower."""
    fast = SimpleNamespace(
        monotonic=lambda: time.monotonic() * times,
        process_time=lambda: time.process_time() * times,
        perf_counter=lambda: time.perf_counter() * times,
    )
    for found in pkgutil.iter_modules(surveying.__path__, f"{surveying.__name__}."):
        module = importlib.import_module(found.name)
        if hasattr(module, "time"):
            monkeypatch.setattr(module, "time", fast)


@pytest.mark.parametrize("times", [0.01, 100.0, 10_000.0])
def test_a_slower_machine_plans_the_same(
    paid: Surveyed,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    times: float,
) -> None:
    """All but the last resort, which is put off for ever."""
    here = told(paid, capsys, "--format", "json")
    monkeypatch.setattr(effort, "TIMES", 1e12)
    hasten(monkeypatch, times)
    assert told(paid, capsys, "--format", "json") == here
    made = json.loads(here)
    assert made["hurried"] == []
    assert made["sources"]["docs"]["sampled"] == 160
    assert {s["name"]: s["estimate"]["piloted"] for s in made["steps"]}["book"] > 100


def test_the_last_resort_is_told(
    paid: Surveyed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert LEFT_OUT not in " ".join(told(paid, capsys).split())
    monkeypatch.setattr(effort, "TIMES", 0.0)
    made = plan_of(paid, capsys)
    assert made["hurried"] == ["book", "docs"]
    assert made["sources"]["docs"]["sampled"] == 20
    assert {s["name"]: s["estimate"]["piloted"] for s in made["steps"]}["book"] == 0
    said = " ".join(told(paid, capsys).split())
    assert f"book, docs: {LEFT_OUT}" in said
    assert LEFT_OUT in told(paid, capsys, "--md").replace("\n", " ")


def test_a_check_that_never_answers_does_not_hold_the_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(self: CheckPool, specs: Any, row: Mapping[str, Any]) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(CheckPool, "judge", hang)
    monkeypatch.setattr(effort, "TIMES", 0.05)
    facts = surveyed(tmp_path, documents(30), VERIFIED).facts()
    assert "good" in facts.hurried
    good = facts.nodes["good"]
    assert good.assumed  # nothing is known of what it lets through
    assert good.reached is None


@pytest.mark.parametrize(("seconds", "least", "most"), [(0.0, 160, 160), (0.2, 24, 40)])
def test_a_slow_check_is_tried_on_fewer_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, least: int, most: int
) -> None:
    """By what its operator says that it takes, whatever it takes here."""
    checks = load_catalog().checks
    assert isinstance(checks, dict)
    monkeypatch.setitem(checks, "expr", replace(checks["expr"], pace=Pace(row=seconds)))
    facts = surveyed(tmp_path, documents(160), VERIFIED).facts()
    assert least <= facts.nodes["good"].rows_in <= most
    assert facts.nodes["good"].whole is (most == 160)
    assert not facts.hurried


@pytest.mark.usefixtures("batches")
def test_slow_columnar_steps_bound_what_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = load_catalog().steps
    assert isinstance(steps, dict)
    monkeypatch.setitem(steps, "filter", replace(steps["filter"], pace=Pace(row=0.1)))
    texts = documents(400)
    drawn = surveyed(tmp_path, texts, STEPS).facts().sources["docs"].sampled
    assert drawn == 20 + 40 + 80  # the first batches with which more than eight seconds are spent
    monkeypatch.setattr(drawing, "ENOUGH_SECONDS", 60.0)
    assert surveyed(tmp_path, texts, STEPS).facts().sources["docs"].sampled == 400


@pytest.mark.usefixtures("batches")
def test_nothing_more_is_drawn_than_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source of which nothing arrives, beside one that brings enough for both."""
    monkeypatch.setattr(drawing, "ENOUGH_ROWS", 15)
    monkeypatch.setattr(drawing, "ENOUGH_BYTES", 1)
    models = MODELS + "  others: { path: others.jsonl, license: CC0-1.0, origin: human }\n"
    steps = STEPS.replace("from: docs", "from: [docs, others]")
    project = surveyed(tmp_path, ["Too short."] * 200, steps, models)
    project.spine.feed(({"text": t} for t in documents(200)), "others.jsonl")
    sources = project.facts().sources
    assert (sources["docs"].sampled, sources["others"].sampled) == (20, 20)


def test_a_saved_plan_still_says_so() -> None:
    saved = Estimates({}, hurried=frozenset({"docs"})).to_json()
    again = read_estimates(json.loads(json.dumps(saved)))
    assert again is not None
    assert again.hurried == {"docs"}


def test_work_adds_up_in_any_order() -> None:
    parts = [1e-7, 3.3e-4, 0.1, 0.2, 0.7, 1e-9] * 50
    one, other = effort.Effort(), effort.Effort()
    for seconds in parts:
        one.add(seconds)
    for seconds in sorted(parts):
        other.add(seconds)
    assert one.spent == other.spent == pytest.approx(sum(parts))


def test_no_other_part_of_a_survey_reads_a_clock() -> None:
    here = Path(next(iter(surveying.__path__)))
    clocks = [p.name for p in here.glob("*.py") if "import time" in p.read_text("utf-8")]
    assert clocks == ["effort.py"]
