"""Rules together: to a fixed point, in order, on large recipes too."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mashbill.compiler.graph import Graph
from mashbill.compiler.optimise import optimise
from mashbill.compiler.rules import RULES
from mashbill.compiler.spec import violations

from .world import compile_text

HEAD = """\
mashbill: 1
name: large
models: { writer: fake/rewrite }
sources:
  docs: { path: docs.jsonl, columns: { lang: lang }, license: CC0-1.0, origin: human }
steps:
"""
BOOK = """\
  {name}:
    op: rewrite
    from: {given}
    model: writer
    prompt: prompts/book.md.j2
    checks: {{ length: {{ min: 0.5 }} }}
    on_fail: [{{ retry: 2 }}, {{ fallback: input }}]
"""
FILTER = "  {name}: {{ op: filter, from: {given}, keep: {keep} }}\n"


def test_a_graph_that_no_rule_fits_is_the_same_graph() -> None:
    graph = compile_text(HEAD + FILTER.format(name="a", given="docs", keep="lang == 'x'")).graph
    assert graph is not None
    assert optimise(graph) == (graph, ())


def test_equal_calls_are_shared_before_a_filter_tells_them_apart() -> None:
    steps = "".join(
        BOOK.format(name=f"book{i}", given="docs")
        + FILTER.format(name=f"part{i}", given=f"book{i}", keep=f"lang == 'x{i}'")
        for i in range(2)
    )
    graph = compile_text(HEAD + steps + "  all: { op: filter, from: [part0, part1] }\n").graph
    assert graph is not None
    _, applied = optimise(graph)
    assert [a.rule for a in applied] == ["share_calls"]
    _, other = optimise(graph, tuple(reversed(RULES)))
    assert [a.rule for a in other] == ["push_filter", "push_filter"]


def test_rules_that_undo_each_other_are_stopped() -> None:
    def turn(graph: Graph) -> tuple[Graph, str] | None:
        return replace(graph, outputs=tuple(reversed(graph.outputs))), "turned"

    graph = compile_text(HEAD + FILTER.format(name="a", given="docs", keep="lang == 'x'")).graph
    assert graph is not None
    with pytest.raises(RuntimeError, match="do not settle: turn"):
        optimise(graph, [("turn", turn)])


def test_a_chain_of_a_thousand_steps() -> None:
    steps, given = "", "docs"
    for i in range(1000):
        steps += FILTER.format(name=f"step{i}", given=given, keep=f"words(text) > {i}")
        given = f"step{i}.rejected" if i % 3 == 1 else f"step{i}"
    plan = compile_text(HEAD + steps).plan
    assert plan is not None and len(plan.nodes) == 1001
    assert plan.nodes[-1].name == "step999"


def test_a_thousand_steps_with_many_firings() -> None:
    """More firings than any fixed bound that would be written down."""
    steps = ""
    for i in range(250):
        keep = f"words(text) > {i}"
        steps += FILTER.format(name=f"pages{i}", given="docs", keep=keep)
        steps += BOOK.format(name=f"book{i}", given=f"pages{i}")
        steps += FILTER.format(name=f"some{i}", given=f"book{i}", keep="lang == 'en'")
        steps += FILTER.format(name=f"long{i}", given=f"some{i}", keep="words(text) > 9")
    steps += f"  all: {{ op: filter, from: [{', '.join(f'long{i}' for i in range(250))}] }}\n"
    plan = compile_text(HEAD + steps).plan
    assert plan is not None and len(plan.nodes) == 1002
    assert len(plan.applied) == 250


def test_filters_climb_over_every_model_step() -> None:
    steps, given = "", "docs"
    for i in range(12):
        body = BOOK.format(name=f"book{i}", given=given).replace(
            "  checks", "  again: true\n    checks"
        )
        steps, given = steps + body, f"book{i}"
    for i in range(12):
        steps += FILTER.format(name=f"some{i}", given=given, keep=f"lang == 'x{i}'")
        given = f"some{i}"
    graph = compile_text(HEAD + steps).graph
    assert graph is not None
    after, applied = optimise(graph)
    assert len(applied) == 12 * 12 and violations(after) == ()
    names = list(after.nodes)
    assert names[1:13] == [f"some{i}" for i in range(12)]
