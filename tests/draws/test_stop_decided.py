"""When a step stops once a vote is decided, and each reason why it must not."""

from __future__ import annotations

import pytest

from mashbill.compiler.graph import Graph
from mashbill.compiler.optimise import optimise
from mashbill.compiler.plan import Plan
from mashbill.compiler.render import render
from mashbill.compiler.rules import RULES
from mashbill.compiler.rules.stop_decided import stop_decided
from mashbill.compiler.spec import violations

from .test_refusals import CHECKS, COT, compiled

RULE = [("stop_decided", stop_decided)]
SOLVED = f"  solved: {{ {COT} }}\n"
BEST = "  best: { op: select, from: solved, vote: answer, min_agree: 0.5, take: 2 }\n"
OUT = "columns: [text, answer]"


def graph_of(steps: str) -> Graph:
    found = compiled(steps, OUT)
    assert found.report.ok and found.graph, render(found.report)
    return found.graph


def fired(steps: str) -> tuple[str, ...]:
    """What the rule says; the graph after it is sound."""

    def check(graph: Graph) -> None:
        assert violations(graph) == ()

    return tuple(a.sentence for a in optimise(graph_of(steps), RULE, check)[1])


def test_it_fires_and_changes_no_identity() -> None:
    before = graph_of(SOLVED + BEST)
    after, applied = optimise(before, RULE)
    assert [a.sentence for a in applied] == [
        "`solved` stops drawing a row once the vote of `best` on `answer` is decided"
    ]
    assert after.nodes["solved"].tuning.until == {
        "vote": "answer",
        "agree": 0.5,
        "compare": "answer",
        "take": 2,
        "drop": [],
    }
    for name, node in before.nodes.items():
        assert (node.fingerprint, node.rule) == (
            after.nodes[name].fingerprint,
            after.nodes[name].rule,
        )


def test_the_plan_carries_it() -> None:
    plan = compiled(SOLVED + BEST, OUT).plan
    assert plan is not None and plan.node("solved").tuning.until
    assert Plan.load(plan.dump()) == plan
    assert ("stop_decided", RULES.index(RULE[0])) == ("stop_decided", 3)


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(
            SOLVED + BEST + "  all: { op: filter, from: [best, solved], keep: chars(text) > 0 }\n",
            id="somebody else reads the draws",
        ),
        pytest.param(
            SOLVED
            + BEST
            + "  all: { op: filter, from: [best, solved.rejected], keep: chars(text) > 0 }\n",
            id="somebody reads the draws that failed",
        ),
        pytest.param(
            SOLVED + f"  right: {{ op: verify, from: solved, {CHECKS} }}\n"
            "  best: { op: select, from: right, vote: answer }\n",
            id="a step between them",
        ),
        pytest.param(
            f"  solved: {{ {COT}, when: chars(text) > 5 }}\n" + BEST, id="not all rows are drawn"
        ),
        pytest.param(
            SOLVED + "  best: { op: select, from: solved, vote: answer, when: chars(text) > 5 }\n",
            id="not all rows are chosen from",
        ),
        pytest.param(
            SOLVED + "  best: { op: select, from: solved, vote: gold }\n", id="not of the reply"
        ),
        pytest.param(
            SOLVED + "  best: { op: select, from: solved, vote: answer, take: all }\n",
            id="all draws are wanted",
        ),
        pytest.param(
            SOLVED + "  best: { op: select, from: solved, by: chars(reasoning) }\n", id="no vote"
        ),
        pytest.param(
            SOLVED + "  best: { op: select, from: solved, set: { answer: '= lower(answer)' }, "
            "vote: answer }\n",
            id="the column is computed anew",
        ),
        pytest.param(
            f"  solved: {{ {COT}, set: {{ answer: '= lower(answer)' }} }}\n" + BEST,
            id="the column is computed behind the reply",
        ),
        pytest.param(
            f"  solved: {{ {COT}, until: {{ vote: answer }} }}\n"
            "  best: { op: select, from: solved, vote: answer }\n",
            id="it stops by itself",
        ),
        pytest.param(
            f"  asked: {{ {COT.replace('cot,', 'generate,', 1)}, samples: 2 }}\n"
            f"  solved: {{ {COT.replace('from: docs', 'from: more')}, samples: 4 }}\n"
            "  more: { op: filter, from: asked, keep: chars(answer) > 0 }\n"
            "  best: { op: select, from: solved, vote: answer }\n".replace(
                "vote: answer", "vote: answer"
            ),
            id="draws of draws",
        ),
    ],
)
def test_it_is_blocked(steps: str) -> None:
    if "asked" in steps:  # the second reply takes the place of the first: allowed by its prompt
        steps = steps.replace(
            "keep: chars(answer) > 0", "keep: chars(answer) > 0, set: { gold: none }"
        )
        found = compiled(steps, OUT)
        assert found.graph is not None
        assert optimise(found.graph, RULE)[1] == ()
        return
    assert fired(steps) == ()


def test_a_step_that_is_fed_is_shared_with_nobody_and_passed_by_no_filter() -> None:
    fed = (
        SOLVED
        + f"  again: {{ {COT} }}\n"
        + "  best: { op: select, from: solved, vote: answer, rows: 5, candidates: 20 }\n"
        + "  other: { op: select, from: again, vote: answer, rows: 9, candidates: 20 }\n"
        + "  all: { op: filter, from: [best, other], keep: chars(text) > 0 }\n"
    )
    after, _ = optimise(graph_of(fed))
    assert after.nodes["solved"].tuning.fed == ("best", 5, 20)
    assert after.nodes["again"].tuning.fed == ("other", 9, 20)
    plan = compiled(fed, OUT).plan
    assert plan is not None and Plan.load(plan.dump()) == plan
    assert plan.node("solved").most_rows == 20


def test_a_step_that_stops_is_shared_with_nobody() -> None:
    twice = (
        SOLVED
        + f"  again: {{ {COT} }}\n"
        + BEST
        + "  other: { op: select, from: again, vote: answer }\n"
        + "  all: { op: filter, from: [best, other], keep: chars(text) > 0 }\n"
    )
    alone, _ = optimise(graph_of(twice), RULE)
    assert alone.nodes["solved"].tuning.until != alone.nodes["again"].tuning.until
    assert optimise(alone, RULES)[0].aliases == {}
    # Told in the order of the rules, the two are one first, and then none may stop.
    shared, _ = optimise(graph_of(twice))
    assert len(shared.aliases) == 1
    assert [n.tuning.until for n in shared if n.op == "cot"] == [None]
