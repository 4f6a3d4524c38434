"""Rules together: to a fixed point, in order, on large recipes too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from mashbill.compiler.graph import Graph
from mashbill.compiler.optimise import optimise
from mashbill.compiler.plan import lower
from mashbill.compiler.rules import RULES, Rule
from mashbill.compiler.rules.draft import Draft
from mashbill.compiler.spec import violations

from .edits import FILES, PINS, RECIPE
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
    _, applied = optimise(graph, RULES[:2])
    assert [a.rule for a in applied] == ["share_calls"]
    _, other = optimise(graph, tuple(reversed(RULES[:2])))
    assert [a.rule for a in other] == ["push_filter", "push_filter"]


def test_rules_that_undo_each_other_are_stopped() -> None:
    def turn(draft: Draft) -> Iterator[str]:
        draft.outputs = tuple(reversed(draft.outputs))
        yield "turned"

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
    # What is put aside begins a stage, and so does the step that reads it.
    assert [name for name, _ in plan.applied] == ["fuse_maps"] * 334


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
    assert Counter(name for name, _ in plan.applied) == {
        "push_filter": 250,
        "fuse_maps": 250,
    }


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
    after, applied = optimise(graph, RULES[:2])
    assert len(applied) == 12 * 12 and violations(after) == ()
    names = list(after.nodes)
    assert names[1:13] == [f"some{i}" for i in range(12)]


EVERYTHING = """\
  pages: { op: filter, from: docs, keep: words(text) > 3, set: { size: = words(text) } }
  book:
    op: rewrite
    from: pages
    model: writer
    prompt: prompts/for.md.j2
    set: { audience: "= choose(['pupil', 'student'])" }
    on_fail: [{ fallback: input }]
  some: { op: filter, from: book, keep: lang == 'en' }
  same:
    op: rewrite
    from: some
    again: true
    model: writer
    prompt: prompts/book.md.j2
    on_fail: [{ fallback: input }]
  also:
    op: rewrite
    from: some
    again: true
    model: writer
    prompt: prompts/book.md.j2
    on_fail: [{ fallback: input }]
  few: { op: filter, from: also, limit: 100 }
  last: { op: filter, from: few, keep: words(text) > 4 }
  all: { op: filter, from: [last, same] }
"""
FOR = """\
---
inputs: { text: str, audience: str }
---
{% block system %}Rewrite for a {{ audience }}.{% endblock %}
{% block user %}{{ text }}{% endblock %}
"""


def test_all_rules_fire_on_one_recipe_and_touch_no_identity() -> None:
    few = EVERYTHING.replace("  all: { op: filter, from: [last, same] }\n", "")
    for steps, wanted in ((EVERYTHING, {"share_calls"}), (few, {"push_limit"})):
        compiled = compile_text(HEAD + steps, {"prompts/for.md.j2": FOR})
        assert compiled.graph and compiled.recipe and compiled.report.ok
        before = replace(compiled.graph, wanted=frozenset())
        after, applied = optimise(before, RULES, _sound)
        fired = {a.rule for a in applied}
        assert fired >= wanted | {"push_filter", "drop_columns", "fuse_maps", "group_by_prefix"}
        identity = {n.name: (n.fingerprint, n.rule, n.definition) for n in before}
        assert {n.name: (n.fingerprint, n.rule, n.definition) for n in after}.items() <= (
            identity.items()
        )
        assert after.results == before.results
        assert (
            lower(compiled.recipe, after, applied, {}).digest
            == lower(compiled.recipe, before, (), {}).digest
        )
        assert optimise(after) == (after, ())


def _sound(graph: Graph) -> None:
    assert violations(graph) == ()


@pytest.mark.parametrize("rule", RULES, ids=[name for name, _ in RULES])
def test_no_rule_changes_the_digest_of_the_plan(rule: tuple[str, Rule]) -> None:
    compiled = compile_text(RECIPE, FILES, pins=PINS)
    assert compiled.graph and compiled.recipe
    graph = replace(compiled.graph, wanted=frozenset({"lang"}))
    after, applied = optimise(graph, [rule])
    plan = lower(compiled.recipe, after, applied, PINS.models)
    assert plan.digest == lower(compiled.recipe, graph, (), PINS.models).digest


def test_a_rule_that_has_fired_is_followed_by_the_first_again() -> None:
    seen: list[str] = []

    def rule(name: str, times: int) -> tuple[str, Rule]:
        left = [times]

        def fire(draft: Draft) -> Iterator[str]:
            seen.append(name)
            if left[0]:
                left[0] -= 1
                yield name

        return name, fire

    graph = compile_text(HEAD + FILTER.format(name="a", given="docs", keep="lang == 'x'")).graph
    assert graph is not None
    _, applied = optimise(graph, [rule("a", 1), rule("b", 2)])
    assert "".join(a.rule for a in applied) == "abb"
    assert "".join(seen) == "aababab"
