"""`mashbill plan`: selectors, forms, exit codes, and a plan with nothing to do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import mashbill as mb
from mashbill.compiler.estimating.estimates import Estimates, Spending, StepEstimate
from mashbill.compiler.estimating.numbers import Number
from mashbill.compiler.explaining import Told, explain
from mashbill.runtime.planning import telling
from mashbill.runtime.planning.finished import estimates_standing, standing
from mashbill.runtime.planning.telling import estimates_of, told
from tests.runtime.conftest import Spine

# -- nothing to do


def test_nothing_to_do_is_said_and_shown_from_the_record(spine: Spine) -> None:
    record = spine.good_run()
    said = spine.do("plan", "-v")
    assert said.code == 0, said.text
    assert said.out.startswith(
        "Nothing to do: spine/out/spine holds the data set of this plan.\n\nspine  plan "
    )
    rows = record["steps"]["book"]
    (line,) = [line for line in said.out.splitlines() if line.startswith(" = book ")]
    assert f"{rows['in']} → {rows['out']}" in " ".join(line.split())
    assert "human share" in said.out


def test_nothing_to_do_looks_at_no_row(spine: Spine, monkeypatch: pytest.MonkeyPatch) -> None:
    spine.good_run()

    def measured(self: mb.Plan) -> None:
        raise AssertionError("measured")

    monkeypatch.setattr(mb.Plan, "measure", measured)
    assert spine.do("plan").code == 0
    assert spine.do("plan", "--format", "json").code == 0


@pytest.mark.parametrize(
    "damage", ["a shard is gone", "a prompt changed", "another pass is to be made"]
)
def test_something_to_do(spine: Spine, damage: str) -> None:
    spine.good_run()
    assert spine.do("plan", "--detailed-exitcode").code == 0
    if damage == "a shard is gone":
        spine.forget_output()
    elif damage == "a prompt changed":
        prompt = spine.folder / "prompts/book.md.j2"
        prompt.write_text(prompt.read_text().replace("all facts", "every fact"))
    else:
        begun = spine.folder / ".mashbill/runs/r-0001/begun.json"
        begun.write_text(begun.read_text().replace('"passes": 1', '"passes": 2'))
    said = spine.do("plan", "--detailed-exitcode")
    assert said.code == 2
    assert "Nothing to do" not in said.out
    assert spine.do("plan").code == 0, "only where it is asked for"


def test_errors_have_their_own_exit_code(spine: Spine) -> None:
    assert spine.do("plan", "--detailed-exitcode").code == 2
    spine.edit("fake/rewrite", "fake/none")
    assert spine.do("plan", "--detailed-exitcode").code == 1
    spine.edit("op: filter", "op: filtre")
    assert spine.do("plan", "--detailed-exitcode").code == 1


def test_what_stands_is_counted(spine: Spine) -> None:
    record = spine.good_run()
    plan = mb.load(spine.folder).plan(survey=False)
    assert standing(plan) == record
    found = estimates_standing(plan.record, record)
    book = found.steps["book"]
    assert book.rows_out == Number(float(record["steps"]["book"]["out"]), "e")
    assert (book.spending, book.reused, found.total) == (Spending(), 1.0, Spending())
    assert found.steps["long"].spending is None
    parts = record["mix"]["parts"]
    assert found.taken == {name: part["taken"] for name, part in parts.items()}
    assert found.supply["book"].value == parts["book"]["supply"]
    assert found.human_share == Number(record["mix"]["human_share"], "e")


# -- what is shown


TOKENS = {name: Number(2000.0, "s", 1800.0, 2200.0) for name in ("long", "book")}
BY_HAND = Estimates(
    steps={
        "docs": StepEstimate(Number(12, "e"), Number(12, "e")),
        "long": StepEstimate(Number(12, "e"), Number(12, "e")),
        "book": StepEstimate(
            Number(12, "e"), Number(12, "s", 11, 12), Spending(calls=Number(72, "s", 70, 74))
        ),
    },
    total=Spending(calls=Number(72, "s", 70, 74)),
    supply=TOKENS,
    taken=dict.fromkeys(TOKENS, 2000.0),
    human_share=Number(0.5, "s", 0.49, 0.51),
)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the views are given, whatever was measured: estimates by hand."""
    seen: list[Any] = []
    real = telling.told

    def spy(plan: mb.Plan, **given: Any) -> Told:
        plan.estimates = None
        plan.quoted = BY_HAND.to_json()
        seen.append(given)
        return real(plan, **given)

    monkeypatch.setattr(telling, "told", spy)
    monkeypatch.setattr(telling, "estimates_of", lambda plan: BY_HAND)
    return seen


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["book"], {"book"}),
        (["+book"], {"docs", "long", "book"}),
        (["op:filter", "book"], {"long", "book"}),
        (["--exclude", "docs"], {"long", "book"}),
        (["+book", "--exclude", "op:filter", "--exclude", "docs"], {"book"}),
        (["state:modified"], {"docs", "long", "book"}),
        ([], None),
    ],
)
def test_selectors(
    spine: Spine, shown: list[Any], words: Sequence[str], names: set[str] | None
) -> None:
    said = spine.do("plan", *words)
    assert said.code == 0, said.text
    assert shown[0]["selected"] == names


def test_a_selection_says_so(spine: Spine, shown: list[Any]) -> None:
    said = spine.do("plan", "book")
    assert "ONLY 1 OF 3 STEPS are shown and summed" in said.out
    assert " long " not in said.out
    assert json.loads(spine.do("plan", "book", "--format", "json").out)["selected"] is True


def test_a_selector_that_names_nothing(spine: Spine) -> None:
    said = spine.do("plan", "boko")
    assert said.code == 64
    assert said.err == ("error: no step or source is called `boko`; did you mean `book`?\n")


def test_forms(spine: Spine, shown: list[Any]) -> None:
    assert spine.do("plan", "--md").out.startswith("### spine")
    value = json.loads(spine.do("plan", "--format", "json").out)
    assert value["mashbill_plan_estimates"] == 1
    assert value["plan"] == mb.load(spine.folder).plan(survey=False).record.digest


def test_saving_beside_other_forms_leaves_stdout_alone(spine: Spine, shown: list[Any]) -> None:
    said = spine.do("plan", "--format", "json", "-o", "a b.plan")
    json.loads(said.out)
    assert said.err.endswith("Saved 'a b.plan'.  Run it:  mashbill run 'a b.plan'\n")
    assert Path("a b.plan").exists()


def test_what_it_is_worth(spine: Spine, shown: list[Any]) -> None:
    assert spine.do("plan", "--value").code == 0
    assert shown[-1] == {"selected": None, "worth": True, "student": None}
    assert spine.do("plan", "--student", "1.7B").code == 0
    assert shown[-1]["student"] == 1.7e9
    said = spine.do("plan", "--student", "large")
    assert said.code == 64
    assert said.err.startswith("error: --student: expected a count like 500 or 10k")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--md", "--format", "json"], "--md and --format json are two forms: give one of them"),
        (["--pilot", "0"], "--pilot must be at least 1"),
        (
            ["book", "--value"],
            "--value tells what the whole data set is worth: leave out selectors and --until",
        ),
    ],
)
def test_options_that_do_not_go_together(spine: Spine, options: list[str], words: str) -> None:
    said = spine.do("plan", *options)
    assert (said.code, said.err) == (64, f"error: {words}\n")


def test_python_tells_the_same(spine: Spine) -> None:
    record = spine.good_run()
    plan = mb.load(spine.folder).plan(survey=False)
    plan.quoted = estimates_standing(plan.record, record).to_json()
    assert estimates_of(plan) == estimates_standing(plan.record, record)
    assert plan.text(80) == explain(told(plan), width=80)


def test_a_pilot_is_paid_for_once(spine: Spine) -> None:
    said = spine.do("plan", "--pilot", "3", "--format", "json")
    assert said.code == 0, said.text
    pilot, sent = json.loads(said.out)["pilot"], len(spine.sent())
    assert (pilot["rows"], pilot["calls"]) == (3, sent)
    assert 0 < sent < 72
    plan = mb.load(spine.folder).plan(pilot=3)
    assert plan.piloted is not None and plan.piloted.sent == 0
    assert plan.estimates is not None and plan.estimates.steps["book"].piloted == 3
    record = spine.good_run()
    assert record["models"]["writer"]["sent"] == len(spine.sent()) - sent
