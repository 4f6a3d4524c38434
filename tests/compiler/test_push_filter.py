"""When a filter moves before a model step, and each reason why it must not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mashbill.compiler.graph import Edge, Graph, Node, Traits
from mashbill.compiler.optimise import optimise
from mashbill.compiler.render import render
from mashbill.compiler.rules.push_filter import push_filter
from mashbill.compiler.spec import violations
from mashbill.compiler.tuning import Tuning

from .world import BOOK, compile_text

RULE = [("push_filter", push_filter)]

BASE = """\
mashbill: 1
name: first
tokenizer: writer
models: { writer: fake/rewrite }
sources:
  docs: { path: docs.jsonl, columns: { lang: lang, meta: meta }, license: CC0-1.0, origin: human }
  web: { path: web.jsonl, columns: { lang: lang }, license: CC0-1.0, origin: human }
steps:
  pages: { op: filter, from: docs, keep: words(text) > 3 }
  book:
    op: rewrite
    from: pages
    model: writer
    prompt: prompts/book.md.j2
    set:
      style: = coalesce(lang, 'xx')
    checks: { ours: { kind: expr, pass: lang is null or words(text) > 0 } }
    on_fail: [{ fallback: input }]
  english:
    op: filter
    from: book
    keep: coalesce(lang == 'en', false)
"""
KEEP = "keep: coalesce(lang == 'en', false)"
STYLED = BOOK.replace("text: str", "text: str, style: any").replace(
    "{{ text }}", "{{ style }} {{ text }}"
)
ASK = """\
---
inputs: { lang: any }
reply: { summary: text }
---
{% block user %}{{ lang }}{% endblock %}
"""
FILES = {"prompts/book.md.j2": STYLED, "prompts/ask.md.j2": ASK}


def graph_of(*changes: tuple[str, str], more: str = "") -> Graph:
    """The logical graph of the base recipe with pieces replaced, and lines put at its end."""
    text = BASE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    compiled = compile_text(text + more, FILES)
    assert compiled.report.ok and compiled.graph, render(compiled.report)
    return compiled.graph


def pushed(graph: Graph) -> tuple[str, ...]:
    """What the rule did; the graph stays sound after every firing."""

    def check(after: Graph) -> None:
        assert violations(after) == ()
        assert after.results == graph.results

    _, applied = optimise(graph, RULE, check)
    return tuple(a.sentence for a in applied)


MOVED = "moved `english` before `book`: its calls are made only for rows that `english` keeps"


def test_fires() -> None:
    graph, applied = optimise(graph_of(), RULE)
    assert [a.sentence for a in applied] == [MOVED]
    assert violations(graph) == ()
    assert list(graph.nodes) == ["docs", "pages", "english", "book"]
    assert graph.nodes["english"].inputs == (Edge("pages"),)
    assert graph.nodes["book"].inputs == (Edge("english"),)
    assert graph.outputs == (Edge("book"),)
    assert not pushed(graph)


def test_what_rows_hold_is_right_after_it() -> None:
    graph, _ = optimise(graph_of(), RULE)
    english, book = graph.nodes["english"], graph.nodes["book"]
    assert "input.text" not in english.columns and "input.text" in book.columns
    assert english.origin == "human" and english.modelled == frozenset()
    assert book.origin == "mixed" and "text" in book.modelled


def test_identity_is_untouched() -> None:
    before = graph_of()
    after, _ = optimise(before, RULE)
    assert {n.name: n.fingerprint for n in after} == {n.name: n.fingerprint for n in before}
    assert {n.name: n.rule for n in after} == {n.name: n.rule for n in before}
    assert after.results == before.results


def test_fires_for_a_chain_of_filters() -> None:
    more = "  long: { op: filter, from: english, keep: words(source.text) > 9 }\n"
    assert len(pushed(graph_of(more=more))) == 2


def test_fires_through_two_model_steps() -> None:
    asked = """\
  asked:
    op: generate
    from: book
    model: writer
    prompt: prompts/ask.md.j2
    on_fail: [{ fallback: input }]
"""
    graph = graph_of(
        ("  english:", f"{asked}  english:"), ("from: book\n    keep", "from: asked\n    keep")
    )
    assert [s.split(":")[0] for s in pushed(graph)] == [
        "moved `english` before `asked`",
        "moved `english` before `book`",
    ]


def test_fires_with_a_set_that_nobody_below_looks_at() -> None:
    assert pushed(graph_of(("    keep: c", "    set: { size: = words(source.text) }\n    keep: c")))


def test_fires_with_a_draw_by_document() -> None:
    draw = "keep: hash01(_doc) < 0.5 and choose([true, false])"
    assert pushed(graph_of((KEEP, draw)))


def test_fires_with_several_samples() -> None:
    assert pushed(graph_of(("    checks:", "    samples: 4\n    checks:")))


def test_fires_below_a_union_for_a_column_that_all_its_inputs_have() -> None:
    graph = graph_of(
        ("from: pages\n", "from: [pages, web]\n"),
        (KEEP, "keep: _source == 'web'"),
    )
    assert pushed(graph)


def test_fires_where_a_step_reads_the_filter() -> None:
    more = "  short: { op: filter, from: english, keep: words(text) < 900 }\n"
    graph, applied = optimise(graph_of(more=more), RULE)
    assert len(applied) == 1
    assert graph.nodes["short"].inputs == (Edge("book"),)


def test_fires_for_what_a_step_puts_aside_above() -> None:
    assert pushed(graph_of(("from: pages\n", "from: pages.rejected\n")))


# -- blocked: what the filter is


def test_blocked_for_another_operator() -> None:
    assert not pushed(
        graph_of((f"op: filter\n    from: book\n    {KEEP}", "op: clean\n    from: book"))
    )


def test_blocked_for_an_operator_that_only_looks_like_a_filter() -> None:
    graph = graph_of()
    other = replace(graph.nodes["english"], op="sample")
    assert not pushed(replace(graph, nodes={**graph.nodes, "english": other}))


def test_blocked_for_a_filter_that_only_sets_columns() -> None:
    assert not pushed(graph_of((KEEP, "set: { size: = words(source.text) }")))


def test_blocked_when_a_limit_further_on_is_felt_before_the_model_step() -> None:
    graph = graph_of()
    book = graph.nodes["book"]
    felt = replace(book, tuning=Tuning(first=9))
    _, applied = optimise(replace(graph, nodes={**graph.nodes, "book": felt}), RULE)
    assert applied == ()


def test_blocked_when_the_filter_is_not_free() -> None:
    assert not pushed(changed("english", cost="cpu"))


def test_blocked_when_the_filter_has_a_limit() -> None:
    assert not pushed(graph_of(("    keep: c", "    limit: 5\n    keep: c")))


def test_blocked_when_what_the_filter_reads_is_unknown() -> None:
    assert not pushed(changed("english", reads=None))


def test_blocked_when_the_filter_reads_several_steps() -> None:
    assert not pushed(graph_of(("from: book\n    keep", "from: [book, pages]\n    keep")))


@pytest.mark.parametrize("port", ["rejected", "routed", "errors"])
def test_blocked_when_the_filter_reads_what_is_put_aside(port: str) -> None:
    assert not pushed(graph_of(("from: book\n    keep", f"from: book.{port}\n    keep")))


# -- blocked: what the step below is


def test_blocked_below_a_step_that_calls_no_model() -> None:
    assert not pushed(graph_of(("from: book\n    keep", "from: pages\n    keep")))


def test_blocked_when_the_model_step_has_a_limit() -> None:
    assert not pushed(graph_of(("    checks:", "    limit: 5\n    checks:")))


def test_blocked_when_the_model_step_can_reject() -> None:
    assert not pushed(graph_of(("[{ fallback: input }]", "[{ retry: 1 }]")))


def test_blocked_when_what_the_model_step_reads_is_unknown() -> None:
    assert not pushed(changed("book", reads=None))


def test_blocked_when_the_model_step_looks_at_other_rows() -> None:
    assert not pushed(changed("book", row_local=False))


# -- blocked: columns


@pytest.mark.parametrize(
    "keep",
    [
        "words(text) > 3",
        "words(input.text) > 3",
        "_accepted > 0.5",
        "hash01(_id) < 0.5",
        "_origin == 'human'",
        "style == 'en'",
    ],
)
def test_blocked_when_the_filter_reads_what_the_model_step_writes(keep: str) -> None:
    assert not pushed(graph_of((KEEP, f'keep: "{keep}"')))


def test_blocked_when_a_field_of_what_the_step_writes_is_read() -> None:
    graph = graph_of(
        ("    checks", "      meta: = lang\n    checks"),
        (KEEP, "keep: coalesce(meta.lang == 'en', false)"),
    )
    assert not pushed(graph)


@pytest.mark.parametrize(
    ("column", "fires"), [("lang", False), ("text", False), ("style", False), ("other", True)]
)
def test_blocked_when_the_filter_sets_what_the_model_step_looks_at(
    column: str, fires: bool
) -> None:
    """`lang` is read by the step's own `set:` and its check, `text` and `style` are written too."""
    keep = f"set: {{ {column}: gone }}\n    keep: words(source.text) > 2"
    assert bool(pushed(graph_of((KEEP, keep)))) == fires


def test_blocked_when_the_filter_sets_the_text_that_a_generate_step_never_asks_about() -> None:
    """Checks and fallbacks of a step go by `text` whatever its prompt reads."""
    asked = (
        ("op: rewrite", "op: generate"),
        ("prompts/book.md.j2", "prompts/ask.md.j2"),
        ("    checks: { ours: { kind: expr, pass: lang is null or words(text) > 0 } }\n", ""),
    )
    assert pushed(graph_of(*asked))
    assert not pushed(graph_of(*asked, (KEEP, f"set: {{ text: gone }}\n    {KEEP}")))


# -- blocked: who else looks


def test_blocked_when_the_model_step_has_another_reader() -> None:
    more = "  other: { op: filter, from: [book, english], keep: words(text) > 1 }\n"
    assert not pushed(graph_of(more=more))


def test_blocked_when_what_the_model_step_puts_aside_is_read() -> None:
    more = "  other: { op: filter, from: [book.errors, english], keep: words(text) > 1 }\n"
    assert not pushed(graph_of(more=more))


def mix(parts: str) -> str:
    return f"mix: {{ total: 1M tokens, parts: {{ {parts} }} }}\n"


def test_blocked_when_the_model_step_is_a_part_of_the_mix() -> None:
    last = "  last: { op: filter, from: english, keep: words(text) > 1 }\n"
    assert not pushed(graph_of(more=last + mix("book: 50%, last: 50%")))
    assert pushed(graph_of(more=last + mix("pages: 50%, last: 50%")))


def test_blocked_when_the_filter_is_a_part_of_the_mix() -> None:
    assert not pushed(graph_of(more=mix("pages: 50%, english: 50%")))


def test_blocked_when_what_the_filter_rejects_is_a_part_of_the_mix() -> None:
    last = "  last: { op: filter, from: english, keep: words(text) > 1 }\n"
    assert not pushed(graph_of(more=last + mix("english.rejected: 50%, last: 50%")))


def test_blocked_when_what_the_filter_rejects_is_read() -> None:
    more = "  last: { op: filter, from: [english, english.rejected], keep: words(text) > 1 }\n"
    assert not pushed(graph_of(more=more))


# -- blocked: several inputs


def test_blocked_below_a_union_when_an_input_lacks_the_column() -> None:
    graph = graph_of(
        ("from: pages\n", "from: [pages, web]\n"),
        (KEEP, "keep: meta is null"),
    )
    assert not pushed(graph)


def test_blocked_when_nothing_above_is_known_to_have_the_column() -> None:
    graph = graph_of()
    pages = graph.nodes["pages"]
    columns = {name: kind for name, kind in pages.columns.items() if name != "lang"}
    nodes = {**graph.nodes, "pages": replace(pages, columns=columns)}
    assert not pushed(replace(graph, nodes=nodes))


def test_blocked_below_a_union_when_the_inputs_may_differ_in_type() -> None:
    assert not pushed(graph_of(("from: pages\n", "from: [pages, web]\n")))


def test_blocked_below_a_union_when_the_inputs_differ_in_type() -> None:
    whole = "  whole: { op: filter, from: pages, set: { size: 1 } }\n"
    broken = "  broken: { op: filter, from: web, set: { size: 1.5 } }\n"
    graph = graph_of(
        ("  book:", f"{whole}{broken}  book:"),
        ("from: pages\n    model", "from: [whole, broken]\n    model"),
        (KEEP, "keep: str(size) == '1'"),
    )
    assert not pushed(graph)


def changed(name: str, **traits: object) -> Graph:
    """The base graph with traits of a node changed by hand; it fires without the change."""
    graph = graph_of()
    assert pushed(graph)
    node: Node = graph.nodes[name]
    fresh: Traits = replace(node.traits, **traits)  # type: ignore[arg-type]
    return replace(graph, nodes={**graph.nodes, name: replace(node, traits=fresh)})
