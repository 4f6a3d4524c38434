"""When two model steps become one, and each reason why they must not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mashbill.compiler.graph import Edge, Graph
from mashbill.compiler.optimise import optimise
from mashbill.compiler.plan import lower
from mashbill.compiler.render import render
from mashbill.compiler.rules.share_calls import share_calls
from mashbill.compiler.spec import violations
from mashbill.compiler.world import Pins

from .world import BOOK, compile_text

RULE = [("share_calls", share_calls)]
PINS = Pins({"writer": "w1", "other": "o1"}, {"docs": "d1"})

BASE = """\
mashbill: 1
name: first
tokenizer: writer
models: { writer: fake/rewrite, other: fake/rewrite }
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
  book:
    op: rewrite
    from: docs
    model: writer
    prompt: prompts/book.md.j2
    on_fail: [{ fallback: input }]
  same:
    op: rewrite
    from: docs
    model: writer
    prompt: prompts/book.md.j2
    on_fail: [{ fallback: input }]
"""
LAST = """\
  long: { op: filter, from: book, keep: words(text) > 9 }
  short: { op: filter, from: same, keep: words(text) < 9 }
  all: { op: filter, from: [long, short], set: { kind: any } }
"""


def graph_of(second: tuple[str, str] = ("", ""), more: str = LAST, pins: Pins = PINS) -> Graph:
    """The logical graph of the base recipe, with a change to the second of its two steps."""
    head, _, tail = BASE.partition("  same:")
    old, new = second
    assert old in tail
    files = {"prompts/other.md.j2": BOOK.replace("Keep", "Leave"), "prompts/copy.md.j2": BOOK}
    compiled = compile_text(head + "  same:" + tail.replace(old, new) + more, files, pins=pins)
    assert compiled.report.ok and compiled.graph, render(compiled.report)
    return compiled.graph


def shared(graph: Graph) -> tuple[str, ...]:
    """What the rule did; the graph stays sound after every firing."""

    def check(after: Graph) -> None:
        assert violations(after) == ()
        assert after.results == graph.results

    _, applied = optimise(graph, RULE, check)
    return tuple(a.sentence for a in applied)


def test_fires() -> None:
    graph, applied = optimise(graph_of(), RULE)
    assert [a.sentence for a in applied] == [
        "`same` asks exactly what `book` asks: the calls run once"
    ]
    assert "same" not in graph.nodes and graph.aliases == {"same": "book"}
    assert graph.nodes["short"].inputs == (Edge("book"),)
    assert not shared(graph)


def test_fires_whatever_prompt_file_and_model_are_called() -> None:
    pins = Pins({"writer": "w1", "other": "w1"})
    assert shared(graph_of(("prompts/book", "prompts/copy")))
    assert shared(graph_of(("model: writer", "model: other"), pins=pins))


def test_fires_for_what_only_looks_different() -> None:
    assert shared(graph_of(("[{ fallback: input }]", "\n    - fallback: input")))
    assert shared(graph_of(("    on_fail", "    samples: 1\n    again: true\n    on_fail")))


def test_fires_when_both_are_read_by_one_step() -> None:
    """Its rows then come twice, as they would from two steps."""
    more = "  all: { op: filter, from: [book, same], set: { kind: any } }\n"
    graph, applied = optimise(graph_of(more=more), RULE)
    assert len(applied) == 1
    assert graph.nodes["all"].inputs == (Edge("book"), Edge("book"))


def test_fires_through_what_is_put_aside() -> None:
    more = LAST.replace("from: same", "from: same.rejected")
    graph, _ = optimise(graph_of(more=more), RULE)
    assert graph.nodes["short"].inputs == (Edge("book", "rejected"),)


def test_fires_down_a_chain_and_for_three() -> None:
    third = BASE.partition("  same:")[2].partition("\n")[2]
    more = f"  third:\n{third}" + LAST.replace("[long, short]", "[long, short, third]")
    graph, applied = optimise(graph_of(more=more), RULE)
    assert len(applied) == 2
    assert graph.aliases == {"same": "book", "third": "book"}
    twice = """\
  faq: { op: rewrite, from: book, again: true, model: writer, prompt: prompts/book.md.j2 }
  fad: { op: rewrite, from: same, again: true, model: writer, prompt: prompts/book.md.j2 }
  all: { op: filter, from: [faq, fad], set: { kind: any } }
"""
    assert len(shared(graph_of(more=twice))) == 2


def mix(parts: str) -> str:
    return f"mix: {{ total: 1M tokens, parts: {{ {parts} }} }}\n"


def test_the_one_that_is_a_part_of_the_mix_is_kept() -> None:
    more = "  long: { op: filter, from: book, keep: words(text) > 9 }\n" + mix(
        "same: 50%, long: 50%"
    )
    compiled = compile_text(BASE + more, pins=PINS)
    assert compiled.graph and compiled.recipe
    graph, applied = optimise(compiled.graph, RULE)
    assert [a.sentence for a in applied] == [
        "`book` asks exactly what `same` asks: the calls run once"
    ]
    assert violations(graph) == ()
    assert list(graph.nodes) == ["docs", "same", "long"]
    plan = lower(compiled.recipe, graph, applied, {})
    assert plan.mix is not None
    assert {".".join(filter(None, o)) for o in plan.outputs} == plan.mix["parts"].keys()


def test_readers_come_after_the_one_that_is_kept() -> None:
    """Nothing says that equal steps stand side by side."""
    more = "  long: { op: filter, from: book, keep: words(text) > 9 }\n" + mix(
        "same: 50%, long: 50%"
    )
    graph = graph_of(more=more)
    order = ["docs", "book", "long", "same"]
    graph = replace(graph, nodes={name: graph.nodes[name] for name in order})
    assert violations(graph) == ()
    assert len(shared(graph)) == 1


def test_outputs_follow_the_one_that_is_kept_where_names_do_not_matter() -> None:
    more = "  long: { op: filter, from: book, keep: words(text) > 9 }\n" + mix(
        "same: 50%, long: 50%"
    )
    graph, _ = optimise(replace(graph_of(more=more), mixed=False), RULE)
    assert graph.aliases == {"same": "book"}
    assert set(graph.outputs) == {Edge("book"), Edge("long")}
    assert violations(graph) == ()


def test_aliases_lead_to_a_step_that_is_there_even_where_the_kept_one_goes_too() -> None:
    third = BASE.partition("  same:")[2].partition("\n")[2]
    more = f"  third:\n{third}{LAST}" + mix("third: 50%, all: 50%")
    graph, _ = optimise(graph_of(more=more), RULE)
    assert graph.aliases == {"book": "third", "same": "third"}


# -- blocked


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("model: writer", "model: other"),
        ("prompts/book.md.j2", "prompts/other.md.j2"),
        ("op: rewrite", "op: generate"),
        ("    on_fail", "    sampling: { temperature: 0.1 }\n    on_fail"),
        ("    on_fail", "    sampling: { max_tokens: 9 }\n    on_fail"),
        ("    on_fail", "    samples: 2\n    on_fail"),
        ("    on_fail", "    limit: 9\n    on_fail"),
        ("    on_fail", "    chunk: { by: sentence, max: 9 tokens }\n    on_fail"),
        ("    on_fail", "    checks: { length: {} }\n    on_fail"),
        ("    on_fail", "    set: { style: plain }\n    on_fail"),
        ("[{ fallback: input }]", "[{ retry: 1 }, { fallback: input }]"),
        ("[{ fallback: input }]", "[reject]"),
    ],
)  # fmt: skip
def test_blocked_when_the_steps_differ(old: str, new: str) -> None:
    assert not shared(graph_of((old, new)))


def test_blocked_when_the_steps_read_different_rows() -> None:
    some = "  some: { op: filter, from: docs, keep: words(text) > 3 }\n"
    assert not shared(graph_of(("from: docs", "from: some"), more=LAST + some))
    assert not shared(graph_of(("from: docs", "from: some.rejected"), more=LAST + some))


def test_blocked_when_each_draws_for_itself() -> None:
    draws = """    set: { style: "= choose(['a', 'b'])" }\n    on_fail"""
    both = BASE.replace("    on_fail", draws)
    compiled = compile_text(both + LAST, pins=PINS)
    assert compiled.report.ok and compiled.graph
    assert not shared(compiled.graph)
    hashed = both.replace("choose(['a', 'b'])", "hash01(_doc)")
    compiled = compile_text(hashed + LAST, pins=PINS)
    assert compiled.graph
    assert shared(compiled.graph)


def test_blocked_when_both_are_parts_of_the_mix() -> None:
    assert not shared(graph_of(more=mix("book: 50%, same: 50%")))
    assert not shared(graph_of(more=LAST + mix("book: 40%, same.rejected: 20%, all: 40%")))


def test_blocked_for_models_that_are_not_known_to_be_one() -> None:
    """Without digests two servers may go by one name."""
    assert not shared(graph_of(("model: writer", "model: other"), pins=Pins()))
    assert shared(graph_of(pins=Pins()))


def test_blocked_for_steps_that_call_no_model() -> None:
    more = """\
  a: { op: filter, from: book, keep: words(text) > 9 }
  b: { op: filter, from: book, keep: words(text) > 9 }
  all: { op: filter, from: [a, b, same], set: { kind: any } }
"""
    graph, _ = optimise(graph_of(more=more), RULE)
    assert {"a", "b"} <= graph.nodes.keys()
