"""What a run says it is about to spend, and from when on it waits for a yes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mashbill.compiler.estimating.propagate import estimate
from mashbill.compiler.guarding.approval import Approval, approval

from .facts import RECIPE, compiled, facts, with_speeds

SOLVER = "http/large, url: http://localhost:8000/v1, price: { input: 1, output: 10 }"


def asked(rows: float, recipe: str = RECIPE, *sets: str, **options: bool) -> Approval:
    _, plan = compiled("$150", *sets, recipe=recipe)
    seen = facts(rows, **options)
    if SOLVER not in recipe:
        seen = with_speeds(replace(seen, prices={}), {"solver": 1000.0})
    return approval(plan, estimate(plan, seen))


def test_the_sentence() -> None:
    said = asked(2000).words
    assert said.startswith("This will spend about $3") and "–" in said
    assert said.endswith("; never more than $150 (budget).")


@pytest.mark.parametrize(("rows", "needed"), [(40, False), (80, True)])
def test_a_dollar_needs_a_yes(rows: float, needed: bool) -> None:
    assert asked(rows).needed is needed  # $0.018 a row


@pytest.mark.parametrize(("rows", "needed"), [(10, False), (20, True)])
def test_without_a_cap_on_money_a_quarter_does(rows: float, needed: bool) -> None:
    for budget in ("", "budget: { tokens: 3B }\n"):
        recipe = RECIPE.replace("budget: { usd: BUDGET }\n", budget)
        found = asked(rows, recipe)
        assert found.needed is needed
        assert ("(budget)" if budget else "$10 (default cap)") in found.words


def test_hours_of_vllm_need_a_yes_and_those_of_local_do_not() -> None:
    vllm = RECIPE.replace(SOLVER, "vllm/org/large").replace("usd: BUDGET", "gpu_hours: 40")
    found = asked(10_000, vllm)
    assert found.needed and "GPU-h; never more than 40 GPU-h (budget)" in found.words
    assert "$" not in found.words
    local = vllm.replace("vllm/org/large", "local/smollm2-135m")
    assert not asked(10_000, local).needed
    paid = asked(10_000, vllm, "hardware.usd_per_gpu_hour=3")
    assert paid.needed and "about $1" in paid.words and " and 4." in paid.words


def test_what_nobody_knows_is_told_and_asked_for_by_nobody() -> None:
    found = asked(10_000, RECIPE, prices=False)
    assert not found.needed and "`solver` costs (?)" in found.words


def test_nothing_is_asked_where_no_model_is() -> None:
    recipe = RECIPE.partition("steps:")[0] + "steps: { kept: { op: filter, from: web } }\n"
    _, plan = compiled("", recipe=recipe.replace("tokenizer: small", ""))
    assert not approval(plan, estimate(plan, facts())).needed


@pytest.mark.parametrize(("pilot", "needed"), [(40, False), (80, True), (4096, True)])
def test_a_pilot_is_asked_about_by_its_rows(pilot: int, needed: bool) -> None:
    """By $0.018 a row, and never by more rows than there are."""
    _, plan = compiled("$150", recipe=RECIPE)
    found = approval(plan, estimate(plan, facts(2000)), pilot)
    assert found.needed is needed
    whole = approval(plan, estimate(plan, facts(2000))).words
    assert found.words.startswith("The pilot will spend about $")
    same = found.words.removeprefix("The pilot") == whole.removeprefix("This")
    assert same is (pilot > 2000)
