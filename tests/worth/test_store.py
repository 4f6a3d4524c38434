"""Calibrations are kept, and those that fit a plan's checks are found again."""

from __future__ import annotations

import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

import mashbill as mb
from mashbill.compiler.plan import Plan
from mashbill.runtime.calibration.fitting import difference
from mashbill.runtime.calibration.store import FILE, gate_rates, kept, state_near
from mashbill.runtime.catalog import load_catalog
from mashbill.runtime.checkpool import CheckPool
from mashbill.runtime.cli import command
from mashbill.runtime.project import find_project

from .plans import plan_of

ROWS = [
    {"text": "one two three four five", "good": True},
    {"text": "one two three four", "good": True},
    {"text": "one", "good": True},
    {"text": "one two three four five six", "good": False},
    {"text": "one", "good": False},
]
STEPS = """
  long: { op: verify, from: clean, checks: { length: { source: source.text, min: 0.5, max: 1.2 } } }
"""
MIX = "mix: { total: 1k tokens, parts: { long: 100% } }\ntokenizer: writer\n"


@pytest.fixture(autouse=True)
def checks_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = CheckPool.__init__

    def inline(self: CheckPool, workers: int | None = None, **options: Any) -> None:
        begin(self, 0, **options)

    monkeypatch.setattr(CheckPool, "__init__", inline)


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    monkeypatch.chdir(tmp_path)
    source = "one two three four five"
    rows = [{**row, "input.text": source, "source.text": source} for row in ROWS]
    (tmp_path / "labelled.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return plan_of(tmp_path, STEPS, MIX)


def calibrate(*words: str) -> None:
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = command(["calibrate", *words, "--data", "labelled.jsonl"])
    assert code == 0, err.getvalue()


def test_a_calibration_of_a_step_is_found_for_it(plan: Plan, tmp_path: Path) -> None:
    calibrate("long.length")
    (one,) = kept(tmp_path / ".mashbill")
    assert (one.kind, one.check, one.data) == ("length", "long.length", "labelled.jsonl")
    assert (one.good_kept, one.good, one.bad_kept, one.bad) == (2, 3, 1, 2)
    assert len(one.data_digest) == 32
    assert one.at.endswith("Z") and one.at[:2] == "20"
    (rates,) = gate_rates(plan, find_project(tmp_path)).values()
    assert (rates.good_kept, rates.good, rates.bad_kept, rates.bad) == (2, 3, 1, 2)
    assert rates.alike and rates.drawn
    assert rates.origin == f"labelled.jsonl, 3 good and 2 bad rows, {one.at[:10]}"


def test_other_numbers_are_said_and_the_same_ones_preferred(plan: Plan, tmp_path: Path) -> None:
    project = find_project(tmp_path)
    calibrate("length", "--set", "min=0.1", "--set", "max=1.2", "--where", "good or not good")
    (rates,) = gate_rates(plan, project).values()
    assert not rates.alike
    assert rates.origin.endswith("measured with other min")
    assert "where good or not good" in rates.origin
    assert rates.good_kept == 3
    calibrate("length", "--set", "min=0.5", "--set", "max=1.2")
    calibrate("length", "--set", "min=0.2", "--set", "max=1.2")
    (rates,) = gate_rates(plan, project).values()
    assert rates.alike and rates.good_kept == 2
    assert len(list(kept(project.state))) == 3


def test_torn_and_foreign_lines_are_passed_over(plan: Plan, tmp_path: Path) -> None:
    calibrate("long.length")
    file = tmp_path / ".mashbill" / FILE
    whole = file.read_text().strip()
    value = json.loads(whole)
    wrong = [
        "", "{", "[]", "null", '{"mashbill_calibration": 9}', '{"mashbill_calibration": 1}',
        json.dumps({**value, "good_kept": 99}), json.dumps({**value, "good": "3"}),
        json.dumps({**value, "new": 1}), json.dumps({**value, "params": 3}), whole[:-9],
    ]  # fmt: skip
    file.write_text("\n".join([whole, *wrong]))
    assert len(list(kept(tmp_path / ".mashbill"))) == 1
    calibrate("long.length")  # behind a line without an end
    assert len(list(kept(tmp_path / ".mashbill"))) == 2


def test_of_another_version_nothing_is_taken(plan: Plan, tmp_path: Path) -> None:
    calibrate("long.length")
    file = tmp_path / ".mashbill" / FILE
    file.write_text(file.read_text().replace('"version": ', '"version": 1'))
    assert gate_rates(plan, find_project(tmp_path)) == {}


def test_outside_of_a_project_nothing_is_kept(
    tmp_path_factory: pytest.TempPathFactory, plan: Plan, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert state_near(inner) == tmp_path / ".mashbill"
    assert state_near(tmp_path) == tmp_path / ".mashbill"
    loose = tmp_path_factory.mktemp("loose")
    if state_near(loose) is not None:
        pytest.skip("the folder of tests lies in a project")
    (loose / "labelled.jsonl").write_text((tmp_path / "labelled.jsonl").read_text())
    monkeypatch.chdir(loose)
    calibrate("length", "--set", "min=0.5")
    assert [p.name for p in loose.iterdir()] == ["labelled.jsonl"]


def test_a_state_folder_that_takes_nothing_ends_no_calibration(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / ".mashbill" / FILE).mkdir()
    calibrate("long.length")
    assert list(kept(tmp_path / ".mashbill")) == []


def test_differences_between_forms_of_a_check() -> None:
    checks = load_catalog().checks
    facts, regex = checks["facts"], checks["regex"]
    base = {p.name: p.default for p in facts.params}
    assert difference(facts, base, dict(base)) == ()
    assert difference(facts, base, {**base, "got": "reply"}) == ()
    assert difference(facts, base, {**base, "numbers": 0.9, "names": 0.5}) == ("names", "numbers")
    assert difference(facts, {**base, "numbers": 1}, {**base, "numbers": 1.0}) == ()
    assert difference(facts, base, {**base, "style": "claim"}) is None
    assert difference(regex, {"forbid": "a"}, {"forbid": "b"}) is None
    tests = checks["unit_tests"]
    usual = {p.name: p.default for p in tests.params}
    assert difference(tests, usual, {**usual, "must_bite": True}) is None


def shipped(recipe: str) -> dict[str, Any]:
    loaded = mb.load(Path(__file__).parents[2] / "recipes" / recipe)
    project = replace(loaded.project, root=Path("/nowhere"))
    return gate_rates(loaded.plan(survey=False).record, project)


def test_what_ships_with_the_checks() -> None:
    web = shipped("textbook-web")
    assert set(web) == {"book.facts"}
    facts = web["book.facts"]
    assert (facts.good_kept, facts.good, facts.bad_kept, facts.bad) == (52, 63, 3, 97)
    assert facts.drawn and facts.alike
    math = shipped("math-cot")
    assert set(math) == {"right.arithmetic", "right.follows", "right.math_equal"}
    assert not any(rates.drawn for rates in math.values())


def test_labelled_rows_of_a_small_model_tell_nothing_of_a_large_ones_pool() -> None:
    recipe = mb.load(Path(__file__).parents[2] / "recipes" / "textbook-web")
    large = replace(recipe, sets=("models.writer=http/large",))
    plan = large.plan(survey=False).record
    rates = gate_rates(plan, replace(recipe.project, root=Path("/nowhere")))["book.facts"]
    assert rates.good == 63 and not rates.drawn
