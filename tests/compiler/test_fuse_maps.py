"""When columnar steps share a stage, and each reason why they must not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mashbill.compiler.graph import Graph
from mashbill.compiler.optimise import optimise
from mashbill.compiler.render import render
from mashbill.compiler.rules.fuse_maps import fuse_maps
from mashbill.compiler.spec import violations

from .world import compile_text

RULE = [("fuse_maps", fuse_maps)]

BASE = """\
mashbill: 1
name: first
tokenizer: writer
models: { writer: fake/rewrite }
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
  a: { op: filter, from: docs, keep: words(text) > 3 }
  b: { op: clean, from: a }
  c: { op: filter, from: b, keep: words(text) > 9 }
"""


def graph_of(*changes: tuple[str, str], more: str = "") -> Graph:
    """The logical graph of the base recipe with pieces replaced, and lines put at its end."""
    text = BASE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    compiled = compile_text(text + more)
    assert compiled.report.ok and compiled.graph, render(compiled.report)
    return compiled.graph


def fused(graph: Graph) -> list[str]:
    """The steps of each stage of several; the graph stays sound after every firing."""

    def check(after: Graph) -> None:
        assert violations(after) == ()
        assert list(after.nodes) == list(graph.nodes)

    after, applied = optimise(graph, RULE, check)
    stages: dict[str, list[str]] = {}
    for node in after:
        if node.tuning.fused:
            stages.setdefault(node.tuning.fused, []).append(node.name)
    assert len(applied) == len(stages)
    return ["".join(names) for names in stages.values()]


def test_fires() -> None:
    graph, applied = optimise(graph_of(), RULE)
    assert [a.sentence for a in applied] == ["`a`, `b` and `c` run as one stage"]
    assert [n.tuning.fused for n in graph] == ["", "a", "a", "a"]
    assert {n.name: n.fingerprint for n in graph} == {n.name: n.fingerprint for n in graph_of()}


def test_fires_for_two_that_begin_with_a_limit() -> None:
    assert fused(graph_of(("from: docs,", "from: docs, limit: 9,"))) == ["abc"]


def test_fires_below_and_above_a_model_step() -> None:
    more = """\
  d: { op: rewrite, from: c, model: writer, prompt: prompts/book.md.j2 }
  e: { op: filter, from: d, keep: words(text) > 9 }
  f: { op: filter, from: e, keep: words(text) > 10, when: words(text) < 99 }
"""
    assert fused(graph_of(more=more)) == ["abc", "ef"]


def test_fires_whoever_reads_what_is_put_aside() -> None:
    more = """\
  bad: { op: filter, from: a.rejected, keep: words(text) > 1 }
  all: { op: filter, from: [c, bad, b.rejected] }
"""
    assert fused(graph_of(more=more)) == ["abc"]


def test_fires_for_what_begins_with_several_inputs() -> None:
    more = """\
  x: { op: filter, from: [b.rejected, c] }
  z: { op: filter, from: x, keep: words(text) > 9 }
"""
    assert fused(graph_of(more=more)) == ["abc", "xz"]


# -- blocked


def test_blocked_by_a_limit() -> None:
    assert fused(graph_of(("from: b,", "from: b, limit: 9,"))) == ["ab"]


def test_blocked_by_a_limit_that_is_felt_from_further_on() -> None:
    graph = graph_of()
    c = graph.nodes["c"]
    felt = replace(c, tuning=replace(c.tuning, first=9))
    after, _ = optimise(replace(graph, nodes={**graph.nodes, "c": felt}), RULE)
    assert [n.tuning.fused for n in after] == ["", "a", "a", ""]


def test_blocked_for_two_costly_steps() -> None:
    """Each can then work while the other does."""
    more = "  d: { op: clean, from: c }\n  e: { op: filter, from: d, keep: words(text) > 9 }\n"
    assert fused(graph_of(more=more)) == ["abc", "de"]


def test_blocked_when_another_step_reads_what_goes_on() -> None:
    more = "  d: { op: filter, from: [b, c] }\n"
    assert fused(graph_of(more=more)) == ["ab"]


def test_blocked_when_what_goes_on_leaves() -> None:
    parts = "mix: { total: 1M tokens, parts: { a: 50%, c: 50% } }\n"
    assert fused(graph_of(more=parts)) == ["bc"]


def test_not_blocked_when_what_is_put_aside_leaves() -> None:
    parts = "mix: { total: 1M tokens, parts: { a.rejected: 50%, c: 50% } }\n"
    assert fused(graph_of(more=parts)) == ["abc"]


def test_blocked_when_a_step_reads_what_is_put_aside() -> None:
    assert fused(graph_of(("from: b,", "from: b.rejected,"))) == ["ab"]


def test_blocked_when_a_step_reads_several() -> None:
    assert fused(graph_of(("from: b,", "from: [b, docs],"))) == ["ab"]


def test_blocked_by_a_step_that_is_not_columnar() -> None:
    assert (
        fused(
            graph_of(
                (
                    "op: clean, from: a",
                    "op: verify, from: a, checks: { long: { kind: expr, pass: words(text) > 3 } }",
                )
            )
        )
        == []
    )


@pytest.mark.parametrize("traits", [{"reads": None}, {"row_local": False}])
def test_blocked_when_a_step_is_not_known_to_go_row_by_row(traits: dict[str, object]) -> None:
    graph = graph_of()
    c = graph.nodes["c"]
    fresh = replace(c, traits=replace(c.traits, **traits))  # type: ignore[arg-type]
    assert fused(replace(graph, nodes={**graph.nodes, "c": fresh})) == ["ab"]
