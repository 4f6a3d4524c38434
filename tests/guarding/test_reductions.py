"""What costs less: each trial against the estimator, and the facts that it is tried with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mashbill.compiler.budgets import SpendCap
from mashbill.compiler.estimating.estimates import Estimates
from mashbill.compiler.estimating.facts import Facts, NodeFacts
from mashbill.compiler.estimating.propagate import estimate
from mashbill.compiler.guarding.knobs import Bench, knobs_of
from mashbill.compiler.guarding.moments import fewer_calls, of_other_model
from mashbill.compiler.guarding.reductions import Reduction, cheapest
from mashbill.compiler.guarding.trial import Trial
from mashbill.compiler.plan import Plan

from .facts import RECIPE, compiled, facts


def bench(seen: Facts | None = None, recipe: str = RECIPE, *sets: str) -> Bench:
    made, plan = compiled("$150", *sets, recipe=recipe)
    assert made.recipe is not None
    seen = seen or facts()
    return Bench(plan, made.recipe, seen, estimate(plan, seen))


def turned(at: Bench, step: str, kind: str, keep: float = 0.5) -> list[Trial]:
    knobs = [k for k in knobs_of(at, at.plan.node(step)) if k.kind == kind]
    return [t for t in (k.turn(keep) for k in knobs) if t is not None]


def usd(found: Estimates, step: str | None = None) -> float:
    spent = found.total if step is None else found.steps[step].spending
    assert spent is not None and spent.usd.value is not None
    return spent.usd.value


def again(trial: Trial) -> Estimates:
    return estimate(trial.plan, trial.facts)


def tried(at: Bench, dollars: float, **options: float) -> tuple[Reduction, ...]:
    assert at.recipe.budget is not None
    cap = SpendCap("usd", dollars, at.recipe.budget.caps[0].span)
    return cheapest(at.plan, at.recipe, at.facts, at.estimates, cap, estimate, count=20, **options)  # type: ignore[arg-type]


def test_half_the_samples_cost_half_and_nearly_all_rows_are_still_chosen() -> None:
    at = bench()
    (trial,) = turned(at, "solved", "samples")
    assert trial.typed == "steps.solved.samples=4"
    made = again(trial)
    assert usd(made, "solved") == pytest.approx(usd(at.estimates, "solved") / 2, rel=0.02)
    assert usd(made, "book") == pytest.approx(usd(at.estimates, "book"), rel=0.001)
    best = made.steps["best"].rows_out.value or 0
    # Of a row half of whose draws pass, 1 - 1/2^8 have one left of eight, and 1 - 1/2^4 of four.
    assert best == pytest.approx(10_000 * (1 - 0.5**4), rel=0.02)
    assert trial.plan.node("best").definition["params"]["draws"] == 4


def test_draws_that_a_stop_spares_are_not_saved_twice() -> None:
    until = RECIPE.replace("samples: 8 }", "samples: 8, until: { accepted: 1 }, CHECKS }")
    until = until.replace("CHECKS", "checks: { sound: { kind: expr, pass: chars(answer) > 0 } }")
    at = bench(recipe=until)
    early = fewer_calls(at.facts.nodes["solved"], 1.0, settled=0.5)  # four of eight were drawn
    seen = moments_with(at.facts, early)
    at = bench(seen, until)
    (mild,), (strong,) = (
        turned(at, "solved", "samples", 0.75),
        turned(at, "solved", "samples", 0.25),
    )
    assert usd(again(mild), "solved") == pytest.approx(usd(at.estimates, "solved"))
    assert usd(again(strong), "solved") == pytest.approx(usd(at.estimates, "solved") / 2, rel=0.02)


def moments_with(seen: Facts, solved: NodeFacts) -> Facts:
    return replace(seen, nodes={**seen.nodes, "solved": solved})


def test_a_recipe_says_the_same_of_what_was_typed() -> None:
    """The plan of a trial is that of the recipe with the setting."""
    at = bench()
    for kind in ("samples", "limit", "model"):
        for trial in turned(at, "solved", kind):
            _, real = compiled("$150", trial.typed)
            name = "solved"
            assert trial.plan.node(name).definition["params"].get("samples") == real.node(
                name
            ).definition["params"].get("samples")
            assert trial.plan.node(name).definition["limit"] == real.node(name).definition["limit"]
            assert trial.plan.node(name).model == real.node(name).model


def test_rungs_are_dropped_from_the_end_and_priced_by_what_the_pilot_showed() -> None:
    recipe = RECIPE.replace("[ { retry: 2 }, reject ]", "[ { retry: 1 }, { retry: 1 }, reject ]")
    at = bench(recipe=recipe)
    last, all_ = turned(at, "book", "rung")
    assert last.typed == "steps.book.on_fail=[{retry: 1}, reject]"
    assert all_.typed == "steps.book.on_fail=[reject]"
    calls = {
        t.typed: (again(t).steps["book"].spending, again(t).steps["book"].rows_out.value)
        for t in (last, all_)
    }
    spent, rows = calls[last.typed]
    assert spent is not None and spent.calls.value == pytest.approx(13_200, rel=0.02)
    assert rows == pytest.approx(10_000 * (1 - 0.32**2), rel=0.02)
    spent, rows = calls[all_.typed]
    assert spent is not None and spent.calls.value == pytest.approx(10_000, rel=0.02)
    assert rows == pytest.approx(6_800, rel=0.02)
    for trial in (last, all_):
        assert compiled("$150", trial.typed, recipe=recipe)[0].report.ok


def test_what_falls_back_is_a_row_that_the_model_did_not_write() -> None:
    recipe = RECIPE.replace("{ retry: 2 }, reject", "{ retry: 2 }, { fallback: input }")
    at = bench(recipe=recipe)
    (trial,) = turned(at, "book", "rung")
    assert trial.lost == pytest.approx(1 - 0.68 / (1 - 0.32**3), abs=0.01)
    assert compiled("$150", trial.typed, recipe=recipe)[0].report.ok


def test_without_a_pilot_a_ladder_is_priced_by_the_plan() -> None:
    at = bench(facts(piloted=False))
    (trial,) = turned(at, "book", "rung")
    assert usd(again(trial), "book") < 0.9 * usd(at.estimates, "book")


def test_another_model_is_offered_where_it_is_cheaper_and_known() -> None:
    at = bench()
    (trial,) = turned(at, "solved", "model")
    assert trial.typed == "steps.solved.model=small"
    made = again(trial)
    assert usd(made, "solved") == pytest.approx(usd(at.estimates, "solved") / 10, rel=0.02)
    dear = RECIPE.replace("price: { input: 0.1, output: 1 }", "price: { input: 2, output: 30 }")
    priced = replace(facts(), prices={"solver": facts().prices["solver"]})
    assert turned(bench(priced, dear), "solved", "model") == []
    unused = RECIPE.replace("tokenizer: small", "tokenizer: solver")
    assert len(turned(bench(priced, unused), "solved", "model")) == 1, "by the recipe's own price"


def test_replies_that_were_seen_are_not_cut_off() -> None:
    assert turned(bench(), "solved", "max_tokens") == []
    (trial,) = turned(bench(facts(piloted=False)), "solved", "max_tokens", 0.7)
    assert trial.typed == "steps.solved.sampling.max_tokens=350"
    assert compiled("$150", trial.typed)[1].node("solved").definition["params"]["sampling"][
        "max_tokens"
    ] == 350  # fmt: skip


def test_an_audit_judges_fewer_rows_and_loses_none() -> None:
    judge = """\
---
inputs: { text: str }
reply: { score: boxed }
---
{% block user %}{{ text }} Put the mark in \\\\boxed{…}.{% endblock %}
"""
    audit = RECIPE.replace(
        "mix:",
        "  seen: { op: verify, from: book, mode: audit, sample: 5%, checks: { judge: "
        "{ model: solver, prompt: prompts/judge.md.j2, pass: float(score) >= 4 } } }\nmix:",
    ).replace("book: 50%", "seen: 50%")
    from mashbill.compiler.estimating.facts import CheckFacts, NodeFacts

    from .facts import FILES, moments

    FILES["prompts/judge.md.j2"] = judge
    try:
        seen = facts()
        node = NodeFacts(
            256,
            reached=moments(units=0.05, prompt=10.0),
            settled=moments(
                units=0.05, rows_out=1.0, size_out=380.0, tokens_out=95.0,
                calls__solver=0.05, prompt__solver=10.0, reply__solver=5.0,
            ),
            settled_rows=256,
            checks={"judge.model": CheckFacts(1, 200, 100)},
        )  # fmt: skip
        at = bench(replace(seen, nodes={**seen.nodes, "seen": node}), audit)
        (trial,) = turned(at, "seen", "sample")
        assert trial.typed == "steps.seen.sample=2.5%"
        made = again(trial)
        assert usd(made, "seen") == pytest.approx(usd(at.estimates, "seen") / 2, rel=0.02)
        assert made.steps["seen"].rows_out.value == at.estimates.steps["seen"].rows_out.value
        assert compiled("$150", trial.typed, recipe=audit)[0].report.ok
    finally:
        del FILES["prompts/judge.md.j2"]


def test_the_mildest_that_is_enough_comes_first_and_all_of_them_hold() -> None:
    at = bench()
    found = tried(at, 150.0)
    assert [r.kind for r in found[:2]] == ["samples", "model"]
    for reduction in found:
        assert reduction.enough == (reduction.left <= 150.0)
        assert reduction.saves == pytest.approx(usd(at.estimates) - reduction.left)
    lost = [round(r.lost, 2) for r in found if r.enough]
    assert lost == sorted(lost)
    enough = [r.enough for r in found]
    assert enough == sorted(enough, reverse=True), "what is not enough comes last"
    limit = next(r for r in found if r.typed.startswith("sources.web.limit"))
    assert 0.9 * 150 < limit.left <= 150, "no milder than it must be, and not much stronger"


def test_what_earlier_runs_spent_leaves_less() -> None:
    at = bench()
    with_, without = tried(at, 150.0, spent=60.0)[0], tried(at, 150.0)[0]
    assert with_.left <= 90 < without.left


def test_a_stub_decides_and_little_savings_are_not_told() -> None:
    at = bench()
    calls: list[str] = []

    def stub(plan: Plan, _: Facts) -> Estimates:
        calls.append(plan.digest)
        return at.estimates

    assert at.recipe.budget is not None
    cap = SpendCap("usd", 100.0, at.recipe.budget.caps[0].span)
    assert cheapest(at.plan, at.recipe, at.facts, at.estimates, cap, stub) == ()
    assert 0 < len(calls) <= 30, "a few tries each tell that it is of no use"


def test_facts_are_scaled_outcome_by_outcome() -> None:
    seen = facts().nodes["solved"]
    less = fewer_calls(seen, 0.5, rows=0.25)
    assert less.settled is not None and seen.settled is not None and seen.reached is not None
    assert less.settled.of("calls:solver") == 4 and less.settled.of("rows_out") == 2
    at = seen.settled.names.index("calls:solver")
    assert less.settled.cov[at][at] == pytest.approx(seen.settled.cov[at][at] / 4)
    assert less.reached is not None and less.reached.of("prompt") == 400
    other = of_other_model(replace(seen, held=9), "solver", "small")
    assert other.settled is not None and other.held == 0
    assert other.settled.of("calls:small") == 8 and other.settled.of("calls:solver") is None
