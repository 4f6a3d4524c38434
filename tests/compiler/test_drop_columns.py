"""Which columns are carried on and which are not, and each reason why one must be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mashbill.compiler.graph import Graph
from mashbill.compiler.optimise import optimise
from mashbill.compiler.render import render
from mashbill.compiler.rules.drop_columns import drop_columns
from mashbill.compiler.spec import violations

from .world import BOOK, compile_text

RULE = [("drop_columns", drop_columns)]

BASE = """\
mashbill: 1
name: first
tokenizer: writer
models: { writer: fake/rewrite }
sources:
  docs:
    path: docs.jsonl
    columns: { lang: lang, meta: meta }
    license: CC0-1.0
    origin: human
  web: { path: web.jsonl, columns: { lang: lang }, license: CC0-1.0, origin: human }
steps:
  pages: { op: filter, from: docs, keep: lang == 'en' }
  book: { op: rewrite, from: pages, model: writer, prompt: prompts/book.md.j2 }
  last: { op: filter, from: book, keep: words(text) > 3 }
"""
LAST = "  last: { op: filter, from: book, keep: words(text) > 3 }\n"
ASK = BOOK.replace("text: str }", "text: str }\nreply: { answer: text }")
FILES = {
    "prompts/ask.md.j2": ASK,
    "prompts/meta.md.j2": BOOK.replace("text: str", "text: str, meta: any").replace(
        "{{ text }}", "{{ meta }} {{ text }}"
    ),
}


def graph_of(*changes: tuple[str, str], more: str = "", wanted: str | None = "") -> Graph:
    """The logical graph of the base recipe with pieces replaced, and lines put at its end."""
    text = BASE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    compiled = compile_text(text + more, FILES)
    assert compiled.report.ok and compiled.graph, render(compiled.report)
    return replace(compiled.graph, wanted=None if wanted is None else frozenset(wanted.split()))


def carried(graph: Graph) -> dict[str, set[str]]:
    """Columns of Mashbill's own aside, what rows still have behind each step that drops any."""
    assert violations(graph) == ()
    after, applied = optimise(graph, RULE, lambda g: None)
    assert violations(after) == ()
    assert len(applied) <= 1
    assert not optimise(after, RULE)[1]
    identity = {n.name: (n.fingerprint, n.rule, n.definition) for n in graph}
    assert {n.name: (n.fingerprint, n.rule, n.definition) for n in after} == identity
    return {n.name: set(n.tuning.keeps) for n in after if n.tuning.keeps is not None}


def skipped(graph: Graph) -> dict[str, tuple[str, ...]]:
    """Columns of each `set:` that are not computed."""
    after, _ = optimise(graph, RULE)
    return {n.name: n.tuning.skips for n in after if n.tuning.skips}


def test_fires() -> None:
    graph = graph_of()
    _, applied = optimise(graph, RULE)
    assert [a.sentence for a in applied] == [
        "nothing reads `meta` after `docs`, `lang` after `pages`: rows go on without"
    ]
    found = carried(graph)
    assert found["docs"] == {"text", "lang"}
    assert found["pages"] == found["book"] == found["last"] == {"text"}


def test_the_sentence_names_a_few_places() -> None:
    sets = ", ".join(f"s{i}: {i}" for i in range(9))
    graph = graph_of((LAST, LAST.replace("keep:", f"set: {{ {sets} }}, keep:")))
    _, (applied,) = optimise(graph, RULE)
    assert applied.sentence.endswith(
        "; nothing reads `s0` of `last`, `s1` of `last`, `s2` of `last`, `s3` of `last`"
        " and 5 more: not computed"
    )


def test_columns_of_set_that_nobody_reads_are_not_computed() -> None:
    sized = LAST.replace("keep:", "set: { size: = words(text), kind: prose }, keep:")
    assert skipped(graph_of((LAST, sized))) == {"last": ("kind", "size")}
    assert skipped(graph_of((LAST, sized), wanted="kind")) == {"last": ("size",)}
    read = sized.replace("words(text) > 3", "size > 3")
    assert skipped(graph_of((LAST, read))) == {"last": ("kind",)}
    after = "prompt: prompts/book.md.j2, set: { share: = _accepted } }"
    assert skipped(graph_of(("prompt: prompts/book.md.j2 }", after))) == {"book": ("share",)}


def test_a_column_that_is_made_anew_is_not_carried_to_there() -> None:
    upper = "  pages: { op: filter, from: docs, set: { lang: EN } }\n"
    old = "  pages: { op: filter, from: docs, keep: lang == 'en' }\n"
    found = carried(graph_of((old, upper), wanted="lang"))
    assert found["docs"] == {"text"} and found["pages"] == {"text", "lang"}


def test_the_sources_text_is_only_carried_to_where_it_is_read() -> None:
    """Where nobody reads it no source makes it: there is nothing to tell."""
    early = carried(graph_of(("lang == 'en'", "lang == 'en' and words(source.text) > 3")))
    assert "source.text" in early["docs"] and "source.text" not in early["pages"]
    late = LAST.replace("words(text)", "words(source.text)")
    assert "source.text" in carried(graph_of((LAST, late)))["book"]


# -- kept


def test_kept_when_a_step_further_on_reads_it() -> None:
    found = carried(graph_of((LAST, LAST.replace("words(text) > 3", "meta is null"))))
    assert found["docs"] == {"text", "lang", "meta"}
    assert found["pages"] == found["book"] == {"text", "meta"}


def test_kept_when_a_prompt_reads_it() -> None:
    found = carried(graph_of(("prompts/book.md.j2", "prompts/meta.md.j2")))
    assert "meta" in found["pages"] and "meta" not in found["book"]


def test_kept_when_a_check_reads_it() -> None:
    held = LAST + (
        "  held: { op: verify, from: last, checks: { same: { kind: expr, pass: meta == lang } } }\n"
    )
    found = carried(graph_of((LAST, held)))
    assert {"meta", "lang"} <= found["docs"] and {"meta", "lang"} <= found["last"]
    facts = LAST + "  held: { op: verify, from: last, checks: { facts: {} } }\n"
    assert "input.text" in carried(graph_of((LAST, facts)))["last"]


def test_kept_when_it_leaves_in_the_output() -> None:
    found = carried(graph_of(wanted="meta input.text"))
    assert found["docs"] == {"text", "lang", "meta", "input.text"}
    assert found["last"] == {"text", "meta", "input.text"}


def test_kept_when_it_leaves_in_a_part_of_the_mix() -> None:
    parts = "mix: { total: 1M tokens, parts: { pages: 50%, last: 50% } }\n"
    assert "meta" in carried(graph_of(more=parts, wanted="meta"))["pages"]
    assert "meta" not in carried(graph_of(more=parts))["pages"]


def test_kept_when_somebody_reads_it_among_what_is_put_aside() -> None:
    more = "  bad: { op: filter, from: [pages.rejected, last], keep: meta is null }\n"
    found = carried(graph_of(more=more))
    assert "meta" in found["docs"] and "meta" in found["pages"]


def test_kept_when_one_of_several_readers_reads_it() -> None:
    more = """\
  one: { op: filter, from: pages, keep: meta is null }
  all: { op: filter, from: [one, last] }
"""
    found = carried(graph_of(more=more))
    assert "meta" in found["pages"] and "meta" not in found["one"]


def test_what_meets_without_a_column_leaves_without_it() -> None:
    """Where steps meet a column that one lacks is made, as null: it is dropped again behind."""
    found = carried(graph_of(("from: book,", "from: [book, web],")))
    assert found["last"] == {"text"}


def test_kept_when_it_is_set_for_some_rows_only() -> None:
    old = "  pages: { op: filter, from: docs, keep: lang == 'en' }\n"
    some = "  pages: { op: filter, from: docs, when: words(text) > 3, set: { lang: EN } }\n"
    assert "lang" in carried(graph_of((old, some), wanted="lang"))["docs"]


def test_kept_when_a_set_of_its_own_step_reads_it() -> None:
    """Both see the columns as they came."""
    old = "  pages: { op: filter, from: docs, keep: lang == 'en' }\n"
    two = "  pages: { op: filter, from: docs, set: { lang: EN, was: = lang } }\n"
    graph = graph_of((old, two), wanted="was")
    assert "lang" in carried(graph)["docs"]
    assert skipped(graph) == {}


def test_kept_when_the_model_step_may_go_on_without_making_it() -> None:
    """A row that falls back has the column that came in."""
    old = "  pages: { op: filter, from: docs, keep: lang == 'en' }\n"
    answered = old.replace("keep:", "set: { answer: none }, keep:")
    asked = (
        "op: generate, from: pages, model: writer, prompt: prompts/ask.md.j2, "
        "on_fail: [{ fallback: input }] }"
    )
    book = "op: rewrite, from: pages, model: writer, prompt: prompts/book.md.j2 }"
    graph = graph_of((old, answered), (book, asked), wanted="answer")
    assert "answer" in carried(graph)["pages"]
    assert skipped(graph) == {}


@pytest.mark.parametrize("name", ["book", "last"])
def test_kept_when_what_a_step_reads_is_unknown(name: str) -> None:
    graph = graph_of()
    node = graph.nodes[name]
    unknown = replace(node, traits=replace(node.traits, reads=None))
    found = carried(replace(graph, nodes={**graph.nodes, name: unknown}))
    assert found.keys() == ({"book", "last"} if name == "book" else {"last"})


def test_kept_when_what_leaves_is_unknown() -> None:
    assert carried(graph_of(wanted=None)) == {}


def test_the_text_and_what_is_mashbills_own_are_always_kept() -> None:
    last = LAST.replace("keep: words(text) > 3", "set: { text: gone }")
    graph = graph_of((LAST, last))
    assert skipped(graph) == {}
    _, (applied,) = optimise(graph, RULE)
    assert "_accepted" not in applied.sentence and "_id" not in applied.sentence
