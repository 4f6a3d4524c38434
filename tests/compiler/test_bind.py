"""What binding makes of a recipe: columns, origins, traits and definitions of its nodes."""

from __future__ import annotations

from typing import Any

from mashbill.compiler.graph import Graph, Node
from mashbill.compiler.render import render
from mashbill.compiler.types import ANY, FLOAT, INT, STR

from .world import BOOK, compile_text

HEAD = """\
mashbill: 1
name: bound
seed: 3
models: { writer: fake/rewrite }
sources:
  docs: { path: docs.jsonl, columns: { meta: meta }, license: CC0-1.0, origin: human }
  made: { path: web.jsonl, license: CC0-1.0, origin: synthetic }
steps:
"""
BOOK_STEP = """\
  book:
    op: rewrite
    from: docs
    model: writer
    prompt: prompts/book.md.j2
"""
ASK = BOOK.replace("text: str }", "text: str }\nreply: { summary: text }")
FILES = {"prompts/ask.md.j2": ASK}
ASK_STEP = (
    BOOK_STEP.replace("book:", "asked:").replace("rewrite", "generate").replace("book.md", "ask.md")
)


def graph_of(steps: str, files: dict[str, str] | None = None) -> Graph:
    compiled = compile_text(HEAD + steps, {**FILES, **(files or {})})
    assert compiled.graph is not None and compiled.report.ok, render(compiled.report)
    return compiled.graph


def node_of(steps: str, name: str) -> Node:
    return graph_of(steps).nodes[name]


def codes(text: str, files: dict[str, str] | None = None) -> list[str]:
    report = compile_text(text, {**FILES, **(files or {})}).report
    return [d.code for d in report.diagnostics if d.code != "R103" or "made" not in d.message]


# -- columns


def test_columns_of_a_source() -> None:
    columns = graph_of("  all: { op: filter, from: docs }\n").nodes["docs"].columns
    assert dict(columns) == {
        "text": STR,
        "source.text": STR,
        "_doc": STR,
        "_id": STR,
        "_source": STR,
        "_origin": STR,
        "meta": ANY,
    }


def test_columns_of_a_rewrite() -> None:
    book = node_of(BOOK_STEP, "book")
    assert book.columns["input.text"] == STR and book.columns["_accepted"] == FLOAT
    assert {"text", "input.text", "_accepted", "_id", "_origin"} == book.traits.writes


def test_columns_of_what_is_put_aside_are_those_that_came_in() -> None:
    step = BOOK_STEP + "    set: { style: plain }\n"
    book = node_of(step, "book")
    assert "input.text" in book.rows().columns
    aside = book.rows("rejected")
    assert {"style", "_reason"} <= aside.columns.keys()
    assert not {"input.text", "_accepted"} & aside.columns.keys()
    assert aside.origin == "human" and "text" not in aside.modelled
    reads = "  rest: {{ op: filter, from: book.rejected, keep: {} }}\n"
    assert codes(HEAD + step + reads.format("_reason == 'length'")) == []
    assert codes(HEAD + step + reads.format("words(input.text) > 2")) == ["X151"]


def test_a_reply_that_may_be_missing_is_nullable() -> None:
    assert node_of(ASK_STEP, "asked").columns["summary"] == STR
    fallback = "    on_fail: [{ fallback: input }]\n"
    assert node_of(ASK_STEP + fallback, "asked").columns["summary"] == STR.maybe()


def test_columns_of_several_inputs() -> None:
    steps = """\
  whole: { op: filter, from: docs, set: { size: 1, kind: 1, both: 1 } }
  broken: { op: filter, from: made, set: { size: 1.5, kind: big, both: 2 } }
  all: { op: filter, from: [whole, broken] }
"""
    columns = node_of(steps, "all").columns
    assert columns["size"] == FLOAT
    assert columns["kind"] == ANY
    assert columns["both"] == INT
    assert columns["meta"] == ANY
    part = "  some: { op: filter, from: [docs, whole] }\n"
    assert node_of(steps + part, "some").columns["both"] == INT.maybe()


def test_fields_of_a_struct_are_reads_of_its_column() -> None:
    step = "  some: { op: filter, from: docs, keep: meta.lang == 'en' }\n"
    assert node_of(step, "some").traits.reads == frozenset({"meta"})


def test_columns_computed_before_and_after() -> None:
    step = (
        BOOK_STEP
        + """\
    set:
      size: = words(text)
      share: = _accepted * 100
"""
    )
    book = node_of(step, "book")
    assert book.definition["set"] == {"size": {"=": "words(text)"}}
    assert book.definition["set_after"] == {"share": {"=": "_accepted * 100"}}


# -- origins


def test_what_a_model_wrote_is_followed() -> None:
    steps = BOOK_STEP + "  loud: { op: filter, from: book, set: { loud: = upper(text) } }\n"
    graph = graph_of(steps)
    assert graph.nodes["book"].origin == "synthetic"
    assert {"text", "loud"} <= graph.nodes["loud"].modelled
    assert "input.text" not in graph.nodes["loud"].modelled
    mixed = BOOK_STEP + "    on_fail: [{ fallback: input }]\n"
    assert node_of(mixed, "book").origin == "mixed"
    assert node_of(ASK_STEP, "asked").origin == "human"
    assert node_of("  both: { op: filter, from: [docs, made] }\n", "both").origin == "mixed"


def test_what_a_model_step_put_aside_may_be_rewritten() -> None:
    again = BOOK_STEP.replace("book:", "again:").replace("from: docs", "from: book.rejected")
    assert codes(HEAD + BOOK_STEP + again) == []
    twice = again.replace("book.rejected", "book")
    assert codes(HEAD + BOOK_STEP + twice) == ["C507"]
    assert codes(HEAD + BOOK_STEP + twice + "    again: true\n") == []


# -- definitions


def definition(steps: str, name: str) -> dict[str, Any]:
    return dict(node_of(steps, name).definition)


def test_seed_and_place_are_part_of_what_draws_alone() -> None:
    def of(keep: str) -> tuple[int, str]:
        made = definition(f'  some: {{ op: filter, from: docs, keep: "{keep}" }}\n', "some")
        return made["seed"], made["site"]

    assert of("words(text) > 3") == (0, "")
    assert of("hash01(_doc) < 0.5") == (3, "")
    assert of("choose([true, false])") == (3, "some")


def test_a_scan_is_told_who_looks_at_the_sources_text() -> None:
    step = "  some: {{ op: filter, from: docs, keep: words({}) > 3 }}\n"
    assert definition(step.format("source.text"), "some")["reads"] == ["source.text"]
    assert definition(step.format("text"), "some")["reads"] == []


def test_names_of_models_and_permissions_are_no_part_of_it() -> None:
    made = definition(BOOK_STEP + "    again: true\n", "book")
    assert not {"model", "again"} & made["params"].keys()
    assert made["model"] == {"engine": "fake", "model": "rewrite"}


# -- one pass


def test_every_fault_is_found_at_once_and_said_once() -> None:
    steps = """\
  one: { op: filter, from: two, keep: wrods(text) > 3 }
  two: { op: filter, from: one, keep: words(text) > 3 }
  three: { op: filter, from: four, keep: words(text) > 3 }
  four: { op: filter, from: three, keep: words(text) > 3 }
  five: { op: filtr, from: docs, keep: words(text) > 3 }
  six: { op: filter, from: five, keep: words(txt) > 3 and wrods(text) > 3 }
  seven: { op: filter, from: nobody, keep: words(text) }
  book: { op: rewrite, from: six, model: writr, prompt: prompts/bok.md.j2 }
"""
    report = compile_text(HEAD + steps).report
    assert [d.code for d in report.diagnostics] == [
        "R102",  # one, two
        "X151",  # wrods, in both places; `txt` may be what `five` makes
        "R102",  # three, four
        "S010",  # filtr
        "R101",  # nobody
        "X152",  # words(text) is no condition
        "R110",  # writr
        "R111",  # bok
    ]
    places = [d.span.start for d in report.diagnostics if d.span]
    assert places == sorted(places)


def test_a_part_of_the_mix_that_is_broken_leaves_no_step_unused() -> None:
    steps = "  pages: { op: filter, from: docs }\n  more: { op: filter, from: pages }\n"
    mix = "tokenizer: writer\nmix: {{ total: 1k tokens, parts: {{ docs: 50%, {}: 50% }} }}\n"
    assert codes(HEAD + steps + mix.format("pages")) == ["R103"]
    assert codes(HEAD + steps + mix.format("moer")) == ["R101"]


def test_a_prompt_that_is_no_text_is_a_fault() -> None:
    files = {"prompts/book.md.j2": f"{BOOK}\udcff"}
    (found,) = compile_text(HEAD + BOOK_STEP, files).report.errors
    assert found.code == "S001"
    assert found.message == f"prompts/book.md.j2 is not UTF-8 (byte {len(BOOK)})"


def test_text_of_an_included_file_is_shown() -> None:
    files = {
        "prompts/book.md.j2": BOOK.replace("Keep", "{% include 'prompts/rules.j2' %}"),
        "prompts/rules.j2": "Be like {{ txt }}.\n",
    }
    compiled = compile_text(HEAD + BOOK_STEP, files)
    shown = render(compiled.report)
    assert "--> prompts/rules.j2:1:12" in shown and "Be like {{ txt }}." in shown


def test_a_recipe_of_another_format_has_one_fault() -> None:
    assert codes(HEAD.replace("mashbill: 1", "mashbill: 7") + "  a: { op: nothing }\n") == ["S008"]


def test_an_operator_that_is_no_name_is_a_fault() -> None:
    assert codes(HEAD + "  all: { op: [filter], from: docs }\n") == ["S005"]


def test_a_setting_after_set_is_pointed_at_where_it_was_typed() -> None:
    report = compile_text(
        HEAD + "  some: { op: filter, from: docs }\n", sets=["steps.some.keep=wrods(text) > 3"]
    ).report
    (found,) = [d for d in report.diagnostics if d.severity == "error"]
    assert found.span is not None
    text = report.files[found.span.file]
    assert text[found.span.start : found.span.end] == "wrods"
