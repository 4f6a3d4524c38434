"""The share of drafts that pass, read off the rows before and behind a step; lineage of parts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mashbill.compiler.estimating.estimates import StepEstimate
from mashbill.compiler.estimating.numbers import Basis, Number
from mashbill.compiler.plan import Plan, PlanNode
from mashbill.compiler.tuning import Tuning
from mashbill.compiler.worth.lineage import families, rows_of, steps_before, texts_in_common
from mashbill.compiler.worth.passing import assess_gates, checks_of, passed_share

from .plans import exact, plan_of

CHECKS = [{"name": "facts", "kind": "facts", "version": 2, "params": {}}]


def node_of(**params: Any) -> PlanNode:
    return PlanNode(
        name="right",
        op="verify",
        version=1,
        stage="check",
        inputs=(("before", ""),),
        definition={"params": {"checks": CHECKS, **params}},
        rule="",
        fingerprint="",
        columns=(),
        origin="human",
        modelled=(),
        drops=True,
        model=None,
        prompt=None,
    )


def step_of(before: float, after: float, basis: Basis = "p") -> StepEstimate:
    return StepEstimate(exact(before), Number(after, basis, after * 0.9, after * 1.1))


def test_of_a_verify_it_is_the_rows() -> None:
    found = passed_share(node_of(on_fail=[{"rung": "reject"}]), step_of(1000, 200))
    assert (found.value, found.low, found.high) == (
        pytest.approx(0.2), pytest.approx(0.18), pytest.approx(0.22),
    )  # fmt: skip


def test_of_several_tries_it_is_that_of_one() -> None:
    ladder = [{"rung": "retry", "times": 3}, {"rung": "reject"}]
    found = passed_share(node_of(on_fail=ladder), step_of(1000, 1000 * (1 - 0.7**4)))
    assert found.value == pytest.approx(0.3)
    drawn = passed_share(node_of(samples=8, on_fail=[{"rung": "reject"}]), step_of(100, 400))
    assert drawn.value == pytest.approx(0.5)


@pytest.mark.parametrize(
    "params",
    [
        {"on_fail": [{"rung": "fallback"}]},
        {"on_fail": [{"rung": "route"}]},
        {"on_fail": [{"rung": "repair", "times": 1}, {"rung": "reject"}]},
        {"until": {"accepted": 2}},
        {"sample": 0.05},
    ],
)
def test_where_rows_do_not_tell_it_is_not_known(params: dict[str, Any]) -> None:
    assert not passed_share(node_of(**params), step_of(1000, 200)).known


def test_what_is_assumed_or_left_out_tells_nothing() -> None:
    node = node_of()
    assert not passed_share(node, step_of(1000, 200, "a")).known
    assert not passed_share(node, step_of(0, 0)).known
    assert not passed_share(node, None).known
    when = replace(node, definition={**node.definition, "when": "x"})
    assert not passed_share(when, step_of(1000, 200)).known
    fed = replace(node, tuning=Tuning(fed=("best", 10, 100)))
    assert not passed_share(fed, step_of(1000, 200)).known


def test_an_audit_is_no_gate() -> None:
    assert checks_of(node_of(mode="audit")) == ()
    assert len(checks_of(node_of())) == 1


def test_every_check_of_a_plan_is_a_gate(plan: Plan) -> None:
    found = assess_gates(plan, {}, {})
    assert [g.name for g in found] == ["book.facts", "book.length"]


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return plan_of(tmp_path_factory.mktemp("lineage"))


def test_lineage(plan: Plan) -> None:
    assert [n.name for n in steps_before("book", plan)] == ["web", "clean", "book"]
    with pytest.raises(KeyError):
        steps_before("nowhere", plan)
    steps = {
        "web": step_of(1000, 1000, "e"),
        "clean": step_of(1000, 800),
        "book": step_of(800, 800),
    }
    book, clean = rows_of("book", plan, steps), rows_of("clean", plan, steps)
    assert (book.texts, book.versions) == (800, 1.0)
    assert families([book, clean]) == [[book, clean]]
    assert texts_in_common([book, clean], steps) == 800
    assert rows_of("book", plan, {}).texts is None
    assert texts_in_common([rows_of("book", plan, {})], {}) is None
