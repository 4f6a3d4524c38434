"""Which steps run again after an edit: no wrong decision over the edits below."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mashbill.compiler.compile import Compiled
from mashbill.compiler.graph import Graph
from mashbill.compiler.identity import canonical, difference, digest
from mashbill.compiler.registry import Catalog
from mashbill.compiler.render import render
from mashbill.compiler.world import Pins
from mashbill.runtime.catalog import load_catalog

from .world import compile_text

RECIPE = """\
mashbill: 1
name: edits
about: What an edit changes.
seed: 7
tokenizer: writer
models:
  writer: local/smollm2-135m
  judge: { use: http/judge, url: "${URL}", key: "${KEY}" }
sources:
  docs: { path: docs.jsonl, columns: { lang: lang }, license: CC0-1.0, origin: human }
  web: { path: web.jsonl, license: CC0-1.0, origin: human }
steps:
  pages: { op: filter, from: [docs, web], keep: words(text) > 3 and lang is not null }
  clean: { op: clean, from: pages }
  book:
    op: rewrite
    from: clean
    model: writer
    prompt: prompts/book.md.j2
    chunk: { by: sentence, max: 60 tokens }
    set:
      level: "'plain'"
    checks: { length: { min: 0.5 }, ours: { kind: expr, pass: words(text) > 2 } }
    on_fail: [{ retry: 2 }, { fallback: input }]
  asked: { op: generate, from: pages, model: judge, prompt: prompts/ask.md.j2, samples: 2 }
  half: { op: filter, from: asked, keep: hash01(_doc) < 0.5 }
  drawn:
    op: filter
    from: docs
    set:
      style: = choose(['plain', 'fine'])
mix:
  total: 2M tokens
  parts: { book: 50%, half: 25%, drawn: { weight: 25%, max_epochs: 2 } }
  min_human: 25%
  on_shortfall: shrink
output: { path: out/edits }
"""
BOOK = """\
---
inputs: { text: str, level: str }
examples:
  - { text: Two and two is four., level: plain, reply: "2 + 2 = 4." }
max_tokens: 400
---
{% block system %}Rewrite the text. Keep all facts.{% endblock %}
{% block user %}{{ text }}{# a comment #} ({{ level }}){% endblock %}
"""
ASK = """\
---
inputs: { text: str }
reply: { answer: text }
---
{% block user %}What is this about? {{ text }}{% endblock %}
"""
FILES = {"prompts/book.md.j2": BOOK, "prompts/ask.md.j2": ASK}
PINS = Pins({"writer": "w1", "judge": "j1"}, {"docs": "d1", "web": "e1"})

ALL = {"docs", "web", "pages", "clean", "book", "asked", "half", "drawn"}
BELOW_PAGES = {"pages", "clean", "book", "asked", "half"}


@dataclass(frozen=True)
class Edit:
    """Pieces of the recipe or of its files that are replaced, and the steps that must run again."""

    name: str
    changed: set[str]
    recipe: tuple[tuple[str, str], ...] = ()
    book: tuple[str, str] = ("", "")
    files: dict[str, str] = field(default_factory=dict)
    pins: Pins = PINS
    catalog: Catalog | None = None
    renamed: dict[str, str] = field(default_factory=dict)
    sets: tuple[str, ...] = ()


def edit(name: str, *pairs: tuple[str, str], changed: set[str] | None = None) -> Edit:
    return Edit(name, changed or set(), pairs)


def operator_changed(name: str, **changes: object) -> Catalog:
    catalog = load_catalog()
    group = "steps" if name in catalog.steps else "checks"
    operators = dict(getattr(catalog, group))
    operators[name] = replace(operators[name], **changes)  # type: ignore[arg-type]
    return replace(catalog, **{group: operators})  # type: ignore[arg-type]


NOTHING = [
    edit("a comment", ("seed: 7", "seed: 7   # lucky")),
    edit("blank lines", ("steps:\n", "\n\nsteps:\n\n")),
    edit("what it is about", ("What an edit changes.", "Something else.")),
    edit("its name", ("name: edits", "name: renamed")),
    edit("version and licence of the data set", ("seed: 7", "seed: 7\nversion: 1.2.0\nlicense: MIT")),
    edit("order of keys", ("{ op: clean, from: pages }", "{ from: pages, op: clean }")),
    edit("order of inputs", ("[docs, web]", "[web, docs]")),
    edit("order of checks", ("length: { min: 0.5 }, ours: { kind: expr, pass: words(text) > 2 }",
                             "ours: { pass: words(text) > 2, kind: expr }, length: { min: 0.5 }")),
    edit("quoting", ("prompt: prompts/book.md.j2", 'prompt: "prompts/book.md.j2"')),
    edit("quoting an expression",
         ("keep: words(text) > 3 and lang is not null", 'keep: "words(text) > 3 and lang is not null"')),
    edit("flow to block", ("{ op: clean, from: pages }", "\n    op: clean\n    from: pages")),
    edit("spaces in an expression", ("words(text) > 3 and", "words( text )>3   and")),
    edit("parentheses in an expression", ("words(text) > 3 and lang is not null",
                                          "((words(text)) > (3)) and (lang is not null)")),
    edit("short to long model", ("writer: local/smollm2-135m", "writer: { use: local/smollm2-135m }")),
    edit("short to long retry", ("{ retry: 2 }", "{ retry: { times: 2 } }")),
    edit("share as a number", ("half: 25%", "half: 0.25")),
    edit("short to long part", ("half: 25%", "half: { weight: 25% }")),
    edit("one input as a list", ("from: clean", "from: [clean]")),
    edit("a default written out", ("{ op: clean, from: pages }",
                                   "{ op: clean, from: pages, threshold: 40%, min_words: 10 }")),
    edit("a check's default written out", ("min: 0.5", "min: 0.5, max: 1.8, source: input.text")),
    edit("the last rung written out", ("samples: 2 }", "samples: 2, on_fail: reject }")),
    edit("one rung as a list", ("samples: 2 }", "samples: 2, on_fail: [reject] }")),
    edit("the samples written out", ("    chunk:", "    samples: 1\n    chunk:")),
    edit("the model's sampling written at the step",
         ("samples: 2 }", "samples: 2, sampling: { temperature: 0.7, max_tokens: 512 } }")),
    edit("sampling moved to the model",
         ("judge: { use: http/judge,", "judge: { use: http/judge, sampling: { temperature: 0.7 },")),
    edit("a whole number as a float",
         ("samples: 2 }", "samples: 2, sampling: { top_p: 1 } }")),
    edit("a permission that is not needed", ("    chunk:", "    again: true\n    chunk:")),
    edit("a model's name", ("  writer:", "  author:"), ("model: writer", "model: author"),
         ("tokenizer: writer", "tokenizer: author")),
    edit("where a pinned model lies", ("local/smollm2-135m", "local/weights/smollm2.gguf")),
    edit("where a server is", ('url: "${URL}"', 'url: "${OTHER_URL}"')),
    edit("which secret", ('key: "${KEY}"', 'key: "${OTHER_KEY}"')),
    edit("placement", ("{ use: http/judge,", "{ use: http/judge, placement: { concurrency: 9 },")),
    edit("a licence", ("origin: human }\n  web", "origin: human, acknowledge: [G702] }\n  web")),
    edit("the mix", ("total: 2M tokens", "total: 3M tokens"), ("book: 50%, half: 25%", "book: 40%, half: 35%")),
    edit("the output", ("path: out/edits", "path: out/elsewhere, format: jsonl")),
    edit("a step that is not read", ("  half:", "  other: { op: filter, from: pages, limit: 3 }\n  half:")),
    edit("a profile", ("mashbill: 1", "mashbill: 1\nprofiles: { small: { sources.docs.limit: 9 } }")),
    Edit("moved files", set(), (("path: docs.jsonl", "path: data/docs.jsonl"),),
         files={"data/docs.jsonl": ""}),
    Edit("a moved prompt", set(), (("prompts/book.md.j2", "prompts/x/book.md.j2"),),
         files={"prompts/x/book.md.j2": BOOK}),
    Edit("a comment in a prompt", set(), book=("{# a comment #}", "{# another #}")),
    Edit("blank lines in a prompt", set(), book=("{% block system %}", "\n\n{% block system %}\n")),
    Edit("spaces in a tag", set(), book=("{{ text }}", "{{text}}")),
    Edit("order in the front matter", set(), book=("text: str, level: str", "level: str, text: str")),
    Edit("order of blocks", set(), book=(
        BOOK.partition("---\n{%")[2].partition("\n")[0], BOOK.partition("---\n{%")[2].partition("\n")[0])),
    Edit("a version of a package that nothing uses", set(),
         catalog=replace(load_catalog(), versions={**load_catalog().versions, "other": "2"})),
    Edit("an operator that nothing uses", set(), catalog=operator_changed("copy", version=99)),
    Edit("a pin of a model that nothing uses", set(), pins=Pins({**PINS.models, "x": "1"}, PINS.sources)),
    Edit("a step's name", set(), (("  clean:", "  tidy:"), ("from: clean", "from: tidy")),
         renamed={"tidy": "clean"}),
]  # fmt: skip

SOMETHING = [
    edit("a condition", ("words(text) > 3", "words(text) > 4"), changed=BELOW_PAGES),
    edit("a condition's comparison", ("words(text) > 3", "words(text) >= 3"), changed=BELOW_PAGES),
    edit("a condition's type of number", ("words(text) > 3", "words(text) > 3.5"), changed=BELOW_PAGES),
    edit("a parameter", ("{ op: clean, from: pages }", "{ op: clean, from: pages, threshold: 0.5 }"),
         changed={"clean", "book"}),
    edit("a limit", ("{ op: clean, from: pages }", "{ op: clean, from: pages, limit: 9 }"),
         changed={"clean", "book"}),
    edit("an input", ("[docs, web]", "[docs]"), changed=BELOW_PAGES),
    edit("a port", ("from: clean", "from: clean.rejected"), changed={"book"}),
    edit("another operator", ("{ op: clean, from: pages }", "{ op: filter, from: pages }"),
         changed={"clean", "book"}),
    edit("a limit of a source", ("docs.jsonl,", "docs.jsonl, limit: 9,"), changed=ALL - {"web"}),
    edit("a source's text", ("path: web.jsonl,", "path: web.jsonl, text: body,"),
         changed=BELOW_PAGES | {"web"}),
    edit("a source's columns", ("{ lang: lang }", "{ lang: language }"), changed=ALL - {"web"}),
    edit("a source's key", ("docs.jsonl,", "docs.jsonl, key: url,"), changed=ALL - {"web"}),
    edit("a source's origin", ("license: CC0-1.0, origin: human }\nsteps", "license: CC0-1.0, origin: synthetic }\nsteps"),
         ("    chunk", "    again: true\n    chunk"), ("  min_human: 25%\n", ""),
         changed=BELOW_PAGES | {"web"}),
    edit("chunks", ("max: 60 tokens", "max: 61 tokens"), changed={"book"}),
    edit("the size of chunks", ("by: sentence", "by: paragraph"), changed={"book"}),
    edit("samples", ("samples: 2", "samples: 3"), changed={"asked", "half"}),
    edit("sampling", ("samples: 2 }", "samples: 2, sampling: { temperature: 0.2 } }"),
         changed={"asked", "half"}),
    edit("the model's sampling", ("writer: local/smollm2-135m",
                                  "writer: { use: local/smollm2-135m, sampling: { top_k: 9 } }"),
         changed={"book"}),
    edit("a stop", ("samples: 2 }", "samples: 2, sampling: { stop: END } }"), changed={"asked", "half"}),
    edit("a check's parameter", ("min: 0.5", "min: 0.6"), changed={"book"}),
    edit("a check's expression", ("words(text) > 2 }", "words(text) > 1 }"), changed={"book"}),
    edit("a check's name", ("ours: { kind", "mine: { kind"), changed={"book"}),
    edit("one more check", ("length: {", "copy: {}, length: {"), changed={"book"}),
    edit("retries", ("retry: 2", "retry: 3"), changed={"book"}),
    edit("a retry's sampling", ("{ retry: 2 }", "{ retry: { times: 2, sampling: { temperature: 1 } } }"),
         changed={"book"}),
    edit("what is retried", ("{ retry: 2 }", "{ retry: { times: 2, for: [length] } }"), changed={"book"}),
    edit("the last rung", ("{ fallback: input }", "route"), changed={"book"}),
    edit("a computed column", ("\"'plain'\"", "fancy"), changed={"book"}),
    edit("a column's name", ("      level:", "      other: 1\n      level:"), changed={"book"}),
    edit("what is drawn", ("['plain', 'fine']", "['plain', 'finer']"), changed={"drawn"}),
    edit("the seed", ("seed: 7", "seed: 8"), changed={"half", "drawn"}),
    edit("the model", ("model: writer", "model: judge"), changed={"book"}),
    Edit("the name of a step that draws", {"drawn"}, (("  drawn:", "  dice:"), (", drawn:", ", dice:")),
         renamed={"dice": "drawn"}),
    Edit("a word of a prompt", {"book"}, book=("Keep all facts.", "Keep every fact.")),
    Edit("an example", {"book"}, book=("2 + 2 = 4.", "2 + 2 is 4.")),
    Edit("the prompt's longest reply", {"book"}, book=("max_tokens: 400", "max_tokens: 300")),
    Edit("a variable of a prompt", {"book"}, book=("({{ level }})", "({{ level | upper }})")),
    Edit("a prompt's reply", {"asked", "half"},
         files={"prompts/ask.md.j2": ASK.replace("answer", "topic")}),
    Edit("an included file", {"book"}, book=("Keep all", "{% include 'prompts/rules.j2' %}Keep all"),
         files={"prompts/rules.j2": "Be brief."}),
    Edit("data", ALL - {"web"}, pins=Pins(PINS.models, {"docs": "d2", "web": "e1"})),
    Edit("weights", {"book"}, pins=Pins({**PINS.models, "writer": "w2"}, PINS.sources)),
    Edit("an operator's version", {"clean", "book"}, catalog=operator_changed("clean", version=99)),
    Edit("a check's version", {"book"}, catalog=operator_changed("length", version=99)),
    Edit("a package of a check", {"book"}, catalog=operator_changed("length", packages=("other",))),
    Edit("a value typed after --set", BELOW_PAGES, sets=("steps.pages.keep=words(text) > 9",)),
]  # fmt: skip


def compile_edit(change: Edit) -> Compiled:
    recipe = RECIPE
    for old, new in change.recipe:
        assert old in recipe, old
        recipe = recipe.replace(old, new)
    old, new = change.book
    assert old in BOOK
    files = {**FILES, "prompts/book.md.j2": BOOK.replace(old, new), **change.files}
    compiled = compile_text(
        recipe, files, sets=change.sets, pins=change.pins, catalog=change.catalog
    )
    assert compiled.plan and compiled.graph, render(compiled.report)
    return compiled


def prints(graph: Graph) -> dict[str, str]:
    return {node.name: node.fingerprint for node in graph}


BASE = compile_edit(Edit("none", set()))
assert BASE.graph and BASE.plan and prints(BASE.graph).keys() == ALL


@pytest.mark.parametrize("change", [*NOTHING, *SOMETHING], ids=lambda change: change.name)
def test_what_runs_again(change: Edit) -> None:
    assert BASE.graph is not None
    graph = compile_edit(change).graph
    assert graph is not None
    after = {change.renamed.get(name, name): p for name, p in prints(graph).items()}
    before = prints(BASE.graph)
    assert {name for name in before if after.get(name, "gone") != before[name]} == change.changed


def test_the_table_is_worth_something() -> None:
    assert len({e.name for e in [*NOTHING, *SOMETHING]}) == len(NOTHING) + len(SOMETHING)
    assert set().union(*(e.changed for e in SOMETHING)) == ALL
    assert all(not e.changed for e in NOTHING) and all(e.changed for e in SOMETHING)


def digest_after(*pairs: tuple[str, str], **changes: object) -> str:
    plan = compile_edit(replace(edit("", *pairs), **changes)).plan  # type: ignore[arg-type]
    assert plan is not None
    return plan.digest


@pytest.mark.parametrize(
    "pair",
    [
        ("path: out/edits", "path: out/elsewhere"),
        ("name: edits", "name: renamed"),
        ("What an edit changes.", "Something else."),
        ("seed: 7", "seed: 7\nversion: 1.2.0\nlicense: MIT"),
        ("book: 50%, half: 25%", "half: 25%, book: 0.5"),
        ("  writer: local/smollm2-135m", "  writer: { use: local/smollm2-135m }"),
    ],
)
def test_the_plan_keeps_its_digest(pair: tuple[str, str]) -> None:
    assert BASE.plan is not None
    assert digest_after(pair) == BASE.plan.digest


@pytest.mark.parametrize(
    "pair",
    [
        ("total: 2M tokens", "total: 3M tokens"),
        ("book: 50%, half: 25%", "book: 40%, half: 35%"),
        ("on_shortfall: shrink", "on_shortfall: reweight"),
        ("max_epochs: 2", "max_epochs: 3"),
        ("min_human: 25%", "min_human: 20%"),
        ("path: out/edits", "path: out/edits, format: jsonl"),
        ("path: out/edits", "path: out/edits, shard: 1MB"),
        ("path: out/edits", "path: out/edits, columns: [text]"),
        ("tokenizer: writer", "tokenizer: judge"),
        ("seed: 7", "seed: 8"),
        ("words(text) > 3", "words(text) > 4"),
    ],
)
def test_the_plan_has_another_digest(pair: tuple[str, str]) -> None:
    assert BASE.plan is not None
    assert digest_after(pair) != BASE.plan.digest


PUSHED = """\
mashbill: 1
name: pushed
models: { writer: fake/rewrite }
sources:
  docs: { path: docs.jsonl, columns: { lang: lang }, license: CC0-1.0, origin: human }
steps:
  book:
    op: rewrite
    from: docs
    model: writer
    prompt: prompts/book.md.j2
    on_fail: [{ fallback: input }]
  english: { op: filter, from: book, keep: lang == 'en' }
"""


def test_a_filter_that_a_rule_moved_is_part_of_the_plans_identity() -> None:
    here, there = compile_text(PUSHED).plan, compile_text(PUSHED.replace("'en'", "'de'")).plan
    assert here and there and here.applied and there.applied
    assert here.digest != there.digest


def test_without_a_mix_the_seed_and_the_tokenizer_matter_to_what_draws_alone() -> None:
    here = compile_text(PUSHED).plan
    for new in ("name: pushed\nseed: 9", "name: pushed\ntokenizer: other.json"):
        there = compile_text(PUSHED.replace("name: pushed", new)).plan
        assert here and there and here.digest == there.digest


def test_renaming_changes_no_row() -> None:
    """Rows are named by what a step does; how many it lets in does not matter to one of them."""
    assert BASE.graph is not None
    for pair in (("  book:", "  tome:"), ("    chunk:", "    limit: 9\n    chunk:")):
        renamed = edit("", pair, *([("book: 50%", "tome: 50%")] if "tome" in pair[1] else []))
        graph = compile_edit(renamed).graph
        assert graph is not None
        rules = {node.rule for node in graph if node.op == "rewrite"}
        assert rules == {BASE.graph.nodes["book"].rule}


def test_an_unpinned_source_or_model_is_known_by_its_name() -> None:
    compiled = compile_edit(Edit("", set(), pins=Pins()))
    moved = compile_edit(Edit("", set(), (("path: docs.jsonl", "path: d*.jsonl"),), pins=Pins()))
    other = compile_edit(Edit("", set(), (("local/smollm2-135m", "local/other"),), pins=Pins()))
    assert compiled.graph and moved.graph and other.graph
    base = prints(compiled.graph)
    assert prints(moved.graph)["docs"] != base["docs"]
    assert prints(other.graph)["book"] != base["book"]
    assert prints(other.graph)["asked"] == base["asked"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_equal_values_have_equal_digests_and_no_difference(value: object) -> None:
    assert digest(value) == digest(value)
    assert difference(value, value) is None


@given(st.dictionaries(st.text(), JSON, min_size=2, max_size=5))
def test_order_of_keys_is_no_part_of_a_digest(value: dict[str, object]) -> None:
    assert digest(dict(reversed(value.items()))) == digest(value)


@given(JSON, JSON)
def test_a_difference_is_found_if_and_only_if_the_digests_differ(a: object, b: object) -> None:
    assert (difference(a, b) is None) == (canonical(a) == canonical(b))


def test_a_difference_names_its_place() -> None:
    old = {"params": {"checks": [{"min": 1}], "keep": "a"}}
    new = {"params": {"checks": [{"min": 2}], "keep": "a"}}
    assert difference(old, new) == ("params.checks[0].min", 1, 2)
    assert difference({"a": 1}, {"a": 1, "b": 2}) == ("b", None, 2)
    assert difference([1, 2], [1]) == ("", [1, 2], [1])
    assert difference(1, 1.0) is None and difference(1, True) is not None
