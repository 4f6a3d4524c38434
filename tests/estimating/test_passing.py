"""The share of replies that is taken to pass, where nothing says, goes by the size of the model."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from mashbill.compiler.estimating.facts import Facts, NodeFacts
from mashbill.compiler.estimating.passing import SMALL, USUAL, WHOLE, passing
from mashbill.compiler.estimating.propagate import estimate
from mashbill.compiler.plan import Plan

from .test_propagate import DOCS, LADDER, asked, book, plan, spent

CHECKED = "  right: { op: verify, from: book, checks: { length: {} } }\n"


def facts(parameters: Mapping[str, float]) -> Facts:
    nodes = {"book": asked(1000, 100, whole=True, prompt=30.0), "right": NodeFacts()}
    return Facts(DOCS, nodes, exact=True, parameters=parameters)


def recipe() -> Plan:
    return plan(book(more=LADDER) + CHECKED)


@pytest.mark.parametrize(
    ("parameters", "wanted"),
    [({}, USUAL), ({"writer": 7e9}, USUAL), ({"writer": 135e6}, SMALL), ({"judge": 1e6}, USUAL)],
)
def test_by_the_model_that_writes_what_is_checked(
    parameters: Mapping[str, float], wanted: object
) -> None:
    made = {node.name: node for node in recipe().nodes}
    for name in ("book", "right"):
        assert passing(made[name], recipe(), facts(parameters)) is wanted


def test_without_checks_nothing_goes_by_size() -> None:
    made = plan(book())
    (node,) = (n for n in made.nodes if n.name == "book")
    assert passing(node, made, facts({"writer": 135e6})) is WHOLE


def test_a_small_model_is_asked_more_often_and_gives_less() -> None:
    large, small = (estimate(recipe(), facts({"writer": size})) for size in (7e9, 135e6))
    assert (spent(small).calls.value or 0) > 1.3 * (spent(large).calls.value or 0)
    kept = [found.steps["right"].rows_out for found in (large, small)]
    assert kept[0].basis == kept[1].basis == "a"
    shares = [(k.value or 0) / 1000 for k in kept]
    assert shares[1] < 0.3 < 0.5 < shares[0]
    assert kept[1].interval is not None
    assert kept[1].interval[0] < 100
