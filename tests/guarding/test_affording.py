"""Budgets against what is expected and what may come: codes, words, and what would fit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mashbill.compiler.diagnostics import Diagnostic
from mashbill.compiler.estimating.estimates import Estimates
from mashbill.compiler.estimating.facts import Facts
from mashbill.compiler.estimating.numbers import Basis, Number
from mashbill.compiler.estimating.propagate import estimate
from mashbill.compiler.guarding.affording import affording
from mashbill.compiler.guarding.charges import charges, ranged
from mashbill.compiler.guarding.defaults import caps_in_force, default_caps
from mashbill.compiler.plan import Plan

from .facts import RECIPE, compiled, facts, settings, with_speeds


def found(budget: str, seen: Facts | None = None, *sets: str, **spent: float) -> list[Diagnostic]:
    made, plan = compiled(budget, *sets)
    assert made.recipe is not None
    seen = seen or facts()
    gone = {f"budget.{kind}": value for kind, value in spent.items()}
    return list(affording(plan, made.recipe, estimate(plan, seen), seen, estimate, spent=gone))


def test_a_budget_that_is_expected_to_be_too_small_names_what_fits() -> None:
    (short,) = found("$150")
    assert short.code == "B554"
    assert "expected, above budget.usd $150" in short.message
    assert "--over-budget" in (short.help or "") and "--set budget.usd=2" in (short.help or "")
    assert len(short.notes) == 3
    made, _ = compiled("$150")
    for setting in settings(short.notes):
        # Each can be typed as it stands, and then the budget is enough.
        changed, plan = compiled("$150", setting)
        assert changed.report.ok and plan.budget == (made.plan and made.plan.budget)


def test_what_is_told_to_be_saved_is_what_the_estimate_says() -> None:
    (short,) = found("$150")
    first = short.notes[0]
    assert first.startswith("--set steps.solved.samples=6 (8 now) saves $4")
    assert first.endswith("costs no data")


@pytest.mark.parametrize(
    ("budget", "codes"),
    [("$150", ["B554"]), ("$400", ["B555"]), ("$5000", []), ("$184.5", ["B555"])],
)
def test_expected_and_worst(budget: str, codes: list[str]) -> None:
    assert [d.code for d in found(budget)] == codes


def test_what_earlier_runs_spent_counts() -> None:
    assert [d.code for d in found("$200")] == ["B555"]
    (short,) = found("$200", usd=50.0)
    assert short.code == "B554" and "$50 spent before" in short.message
    assert "budget.usd=250" in (short.help or ""), "the whole of it, with room for the interval"


def test_an_assumption_is_no_reason_to_refuse_and_a_pilot_would_tell() -> None:
    (told,) = found("$5", facts(piloted=False))
    assert told.code == "B555" and "(assumed)" in told.message
    assert "will probably pause" in told.message and "--pilot" in (told.help or "")
    assert len(told.notes) == 3 and all(n.startswith("--set ") for n in told.notes)


def test_a_cap_on_a_step_is_held_to_that_step_alone() -> None:
    sets = ("budget.steps.book.usd=1",)
    (short,) = [d for d in found("$1000", None, *sets) if d.code == "B554"]
    assert "budget.steps.book.usd" in short.message
    assert all(s.startswith(("steps.book.", "sources.web.")) for s in settings(short.notes))
    assert [d.code for d in found("$1000", None, "budget.steps.right.requests=5")] == []


def test_only_the_tightest_of_several_caps_is_tried() -> None:
    shorts = found("$150", None, "budget.tokens=1M")
    assert [d.code for d in shorts] == ["B554", "B554"]
    by_path = {d.message.rpartition("budget.")[2].split()[0]: d for d in shorts}
    assert by_path["tokens"].notes and not by_path["usd"].notes
    assert "M output tokens" in by_path["tokens"].message


def test_wall_time_is_not_estimated() -> None:
    assert found("$5000", None, "budget.wall=1s") == []


# -- no budget

BARE = RECIPE.replace("budget: { usd: BUDGET }\n", "")


def bare(recipe: str = BARE, *sets: str) -> tuple[Plan, list[Diagnostic]]:
    made, plan = compiled("", *sets, recipe=recipe)
    assert made.recipe is not None
    seen = facts()
    return plan, list(affording(plan, made.recipe, estimate(plan, seen), seen, estimate))


def test_a_recipe_that_spends_and_caps_nothing_is_held_to_ten_dollars() -> None:
    plan, said = bare()
    assert default_caps(plan) == {"usd": 10.0}
    assert [d.code for d in said] == ["B556", "B554"]
    assert "default cap of $10" in said[0].message and "usd: 200" in (said[0].help or "")
    assert said[0].span and said[0].span.file == "recipe.yaml"


@pytest.mark.parametrize(
    "budget", ["tokens: 3B", "steps: { book: { requests: 5k } }", "wall: 1h", "breakers: []"]
)
def test_any_cap_of_its_own_is_respected(budget: str) -> None:
    plan, said = bare(RECIPE.replace("usd: BUDGET", budget))
    assert default_caps(plan) == {} and "B556" not in [d.code for d in said]


def test_models_without_a_price_are_held_to_nothing() -> None:
    free = BARE.replace(
        "http/large, url: http://localhost:8000/v1, price: { input: 1, output: 10 }", "fake/words"
    )
    free = free.replace(
        "http/small, url: http://localhost:8001/v1, price: { input: 0.1, output: 1 }", "fake/words"
    )
    plan, _ = bare(free)
    made, _ = compiled("", recipe=free)
    assert made.recipe is not None
    assert default_caps(plan) == {} and caps_in_force(plan, made.recipe) == ()


def test_gpus_are_capped_where_an_hour_has_a_price() -> None:
    own = BARE.replace(
        "http/large, url: http://localhost:8000/v1, price: { input: 1, output: 10 }",
        "vllm/org/large",
    )
    assert default_caps(compiled("", recipe=own)[1]) == {}
    plan = compiled("", "hardware.usd_per_gpu_hour=3", recipe=own)[1]
    assert default_caps(plan) == {"gpu_hours": 2.0}


def test_nothing_to_pay_is_nothing_to_cap() -> None:
    made, plan = compiled("", recipe=BARE)
    assert made.recipe is not None
    seen = facts()
    held = {
        name: replace(node, held=1e9) if name in ("solved", "book") else node
        for name, node in seen.nodes.items()
    }
    seen = replace(seen, nodes=held)
    assert list(affording(plan, made.recipe, estimate(plan, seen), seen, estimate)) == []


# -- charges


def test_a_step_that_asks_nobody_is_charged_nothing() -> None:
    made, plan = compiled("$5", "budget.steps.right.usd=1")
    assert made.recipe and made.recipe.budget
    cap = next(c for c in made.recipe.budget.caps if c.step)
    assert charges(plan, estimate(plan, facts()), cap)[0].value == 0.0


def test_hours_of_own_hardware() -> None:
    own = RECIPE.replace(
        "http/large, url: http://localhost:8000/v1, price: { input: 1, output: 10 }",
        "vllm/org/large",
    )
    made, plan = compiled("", recipe=own.replace("usd: BUDGET", "gpu_hours: 1"))
    assert made.recipe is not None
    seen = with_speeds(facts(), {"solver": 1000.0})
    seen = replace(seen, prices={})
    (short, *_) = affording(plan, made.recipe, estimate(plan, seen), seen, estimate)
    assert short.code == "B554" and "GPU-hours" in short.message
    # 16M tokens of solutions and 1.4M of rewrites, at 1,000 a second.
    assert charges(plan, estimate(plan, seen), caps_in_force(plan, made.recipe)[0])[
        0
    ].value == pytest.approx(17.4e6 / 3.6e6, rel=0.02)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (Number(37.2, "s", 30.1, 45.4), "$37 [30–45]"),
        (Number(212.0, "p", 180.0, 250.0), "$212 [180–250]"),
        (Number(3.0, "e"), "$3.00"),
    ],
)
def test_intervals(number: Number, shown: str) -> None:
    assert ranged("usd", number) == shown


@pytest.mark.parametrize(
    ("basis", "low", "code"),
    [
        ("s", 1.0, "B554"),
        ("p", 21.0, "B554"),
        ("a", 1.0, "B555"),
        ("a", 21.0, "B555"),
        ("?", None, "B555"),
    ],
)
def test_bases(basis: Basis, low: float | None, code: str) -> None:
    made, plan = compiled("$20")
    assert made.recipe is not None
    real = estimate(plan, facts())
    assert real.total is not None
    total = replace(real.total, usd=Number(25.0, basis, low, 30.0), worst_usd=Number(99.0, "e"))
    fixed: Estimates = replace(real, total=total)
    assert [d.code for d in affording(plan, made.recipe, fixed)] == [code]
