"""Edits of one recipe and its prompts, each with the steps whose results it changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from mashbill.compiler.registry import Catalog
from mashbill.compiler.world import Pins
from mashbill.runtime.catalog import load_catalog

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
LINES = BOOK.splitlines(keepends=True)
KEEP = "words(text) > 3 and lang is not null"
SMALL = "local/smollm2-135m"
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
    operators[name] = replace(operators[name], **changes)
    return replace(catalog, **{group: operators})


NOTHING = [
    edit("a comment", ("seed: 7", "seed: 7   # lucky")),
    edit("blank lines", ("steps:\n", "\n\nsteps:\n\n")),
    edit("what it is about", ("What an edit changes.", "Something else.")),
    edit("its name", ("name: edits", "name: renamed")),
    edit("version of the data set", ("seed: 7", "seed: 7\nversion: 1.2.0")),
    edit("licence of the data set", ("seed: 7", "seed: 7\nlicense: MIT")),
    edit("order of keys", ("{ op: clean, from: pages }", "{ from: pages, op: clean }")),
    edit("order of inputs", ("[docs, web]", "[web, docs]")),
    edit(
        "order of checks",
        (
            "length: { min: 0.5 }, ours: { kind: expr, pass: words(text) > 2 }",
            "ours: { pass: words(text) > 2, kind: expr }, length: { min: 0.5 }",
        ),
    ),
    edit("quoting", ("prompt: prompts/book.md.j2", 'prompt: "prompts/book.md.j2"')),
    edit("quoting an expression", (f"keep: {KEEP}", f'keep: "{KEEP}"')),
    edit("flow to block", ("{ op: clean, from: pages }", "\n    op: clean\n    from: pages")),
    edit("spaces in an expression", ("words(text) > 3 and", "words( text )>3   and")),
    edit("parentheses in an expression", (KEEP, "((words(text)) > (3)) and (lang is not null)")),
    edit("short to long model", (f"writer: {SMALL}", f"writer: {{ use: {SMALL} }}")),
    edit("short to long retry", ("{ retry: 2 }", "{ retry: { times: 2 } }")),
    edit("share as a number", ("half: 25%", "half: 0.25")),
    edit("short to long part", ("half: 25%", "half: { weight: 25% }")),
    edit("one input as a list", ("from: clean", "from: [clean]")),
    edit(
        "a default written out",
        ("{ op: clean, from: pages }", "{ op: clean, from: pages, threshold: 40%, min_words: 10 }"),
    ),
    edit("a check's default written out", ("min: 0.5", "min: 0.5, max: 1.8, source: input.text")),
    edit("the last rung written out", ("samples: 2 }", "samples: 2, on_fail: reject }")),
    edit("one rung as a list", ("samples: 2 }", "samples: 2, on_fail: [reject] }")),
    edit("the samples written out", ("    chunk:", "    samples: 1\n    chunk:")),
    edit(
        "the model's sampling written at the step",
        ("samples: 2 }", "samples: 2, sampling: { temperature: 0.7, max_tokens: 512 } }"),
    ),
    edit(
        "sampling moved to the model",
        ("use: http/judge,", "use: http/judge, sampling: { temperature: 0.7 },"),
    ),
    edit("a whole number as a float", ("samples: 2 }", "samples: 2, sampling: { top_p: 1 } }")),
    edit("a permission that is not needed", ("    chunk:", "    again: true\n    chunk:")),
    Edit(
        "a model's name",
        set(),
        (
            ("  writer:", "  author:"),
            ("model: writer", "model: author"),
            ("tokenizer: writer", "tokenizer: author"),
        ),
        pins=Pins({"author": "w1", "judge": "j1"}, PINS.sources),
    ),
    edit("where a pinned model lies", ("local/smollm2-135m", "local/weights/smollm2.gguf")),
    edit("where a server is", ('url: "${URL}"', 'url: "${OTHER_URL}"')),
    edit("which secret", ('key: "${KEY}"', 'key: "${OTHER_KEY}"')),
    edit("placement", ("{ use: http/judge,", "{ use: http/judge, placement: { concurrency: 9 },")),
    edit("a licence", ("origin: human }\n  web", "origin: human, acknowledge: [G702] }\n  web")),
    edit("the mix", ("total: 2M", "total: 3M"), ("book: 50%, half: 25%", "book: 40%, half: 35%")),
    edit("the output", ("path: out/edits", "path: out/elsewhere, format: jsonl")),
    edit(
        "a step that is not read",
        ("  half:", "  other: { op: filter, from: pages, limit: 3 }\n  half:"),
    ),
    edit(
        "a profile", ("mashbill: 1", "mashbill: 1\nprofiles: { small: { sources.docs.limit: 9 } }")
    ),
    Edit(
        "moved files",
        set(),
        (("path: docs.jsonl", "path: data/docs.jsonl"),),
        files={"data/docs.jsonl": ""},
    ),
    Edit(
        "a moved prompt",
        set(),
        (("prompts/book.md.j2", "prompts/x/book.md.j2"),),
        files={"prompts/x/book.md.j2": BOOK},
    ),
    Edit("a comment in a prompt", set(), book=("{# a comment #}", "{# another #}")),
    Edit("blank lines in a prompt", set(), book=("{% block system %}", "\n\n{% block system %}\n")),
    Edit("spaces in a tag", set(), book=("{{ text }}", "{{text}}")),
    Edit(
        "order of inputs of a prompt",
        set(),
        book=("text: str, level: str", "level: str, text: str"),
    ),
    Edit(
        "order of blocks",
        set(),
        files={"prompts/book.md.j2": "".join([*LINES[:6], LINES[7], LINES[6]])},
    ),
    Edit(
        "a version of a package that nothing uses",
        set(),
        catalog=replace(load_catalog(), versions={**load_catalog().versions, "other": "2"}),
    ),
    Edit("an operator that nothing uses", set(), catalog=operator_changed("copy", version=99)),
    Edit("a pin that nothing uses", set(), pins=Pins({**PINS.models, "x": "1"}, PINS.sources)),
    Edit(
        "a step's name",
        set(),
        (("  clean:", "  tidy:"), ("from: clean", "from: tidy")),
        renamed={"tidy": "clean"},
    ),
]

SOMETHING = [
    edit("a condition", ("words(text) > 3", "words(text) > 4"), changed=BELOW_PAGES),
    edit("a condition's comparison", ("words(text) > 3", "words(text) >= 3"), changed=BELOW_PAGES),
    edit("a condition's number", ("words(text) > 3", "words(text) > 3.5"), changed=BELOW_PAGES),
    edit(
        "a parameter",
        ("op: clean, from: pages", "op: clean, from: pages, threshold: 0.5"),
        changed={"clean", "book"},
    ),
    edit(
        "a limit",
        ("{ op: clean, from: pages }", "{ op: clean, from: pages, limit: 9 }"),
        changed={"clean", "book"},
    ),
    edit("an input", ("[docs, web]", "[docs]"), changed=BELOW_PAGES),
    edit("a port", ("from: clean", "from: clean.rejected"), changed={"book"}),
    edit(
        "another operator",
        ("{ op: clean, from: pages }", "{ op: filter, from: pages }"),
        changed={"clean", "book"},
    ),
    edit("a limit of a source", ("docs.jsonl,", "docs.jsonl, limit: 9,"), changed=ALL - {"web"}),
    edit(
        "a source's text",
        ("path: web.jsonl,", "path: web.jsonl, text: body,"),
        changed=BELOW_PAGES | {"web"},
    ),
    edit("a source's columns", ("{ lang: lang }", "{ lang: language }"), changed=ALL - {"web"}),
    edit("a source's key", ("docs.jsonl,", "docs.jsonl, key: url,"), changed=ALL - {"web"}),
    edit(
        "a source's origin",
        ("origin: human }\nsteps", "origin: synthetic }\nsteps"),
        ("    chunk", "    again: true\n    chunk"),
        ("  min_human: 25%\n", ""),
        changed=BELOW_PAGES | {"web"},
    ),
    edit("chunks", ("max: 60 tokens", "max: 61 tokens"), changed={"book"}),
    edit("the size of chunks", ("by: sentence", "by: paragraph"), changed={"book"}),
    edit("samples", ("samples: 2", "samples: 3"), changed={"asked", "half"}),
    edit(
        "sampling",
        ("samples: 2 }", "samples: 2, sampling: { temperature: 0.2 } }"),
        changed={"asked", "half"},
    ),
    edit(
        "the model's sampling",
        (
            "writer: local/smollm2-135m",
            "writer: { use: local/smollm2-135m, sampling: { top_k: 9 } }",
        ),
        changed={"book"},
    ),
    edit(
        "a stop",
        ("samples: 2 }", "samples: 2, sampling: { stop: END } }"),
        changed={"asked", "half"},
    ),
    edit("a check's parameter", ("min: 0.5", "min: 0.6"), changed={"book"}),
    edit("a check's expression", ("words(text) > 2 }", "words(text) > 1 }"), changed={"book"}),
    edit("a check's name", ("ours: { kind", "mine: { kind"), changed={"book"}),
    edit("one more check", ("length: {", "copy: {}, length: {"), changed={"book"}),
    edit("retries", ("retry: 2", "retry: 3"), changed={"book"}),
    edit(
        "a retry's sampling",
        ("retry: 2", "retry: { times: 2, sampling: { temperature: 1 } }"),
        changed={"book"},
    ),
    edit("what is retried", ("retry: 2", "retry: { times: 2, for: [length] }"), changed={"book"}),
    edit("the last rung", ("{ fallback: input }", "route"), changed={"book"}),
    edit("a computed column", ("\"'plain'\"", "fancy"), changed={"book"}),
    edit("a column's name", ("      level:", "      other: 1\n      level:"), changed={"book"}),
    edit("what is drawn", ("['plain', 'fine']", "['plain', 'finer']"), changed={"drawn"}),
    edit("the seed", ("seed: 7", "seed: 8"), changed={"half", "drawn"}),
    edit("the model", ("model: writer", "model: judge"), changed={"book"}),
    Edit(
        "the name of a step that draws",
        {"drawn"},
        (("  drawn:", "  dice:"), (", drawn:", ", dice:")),
        renamed={"dice": "drawn"},
    ),
    Edit("a word of a prompt", {"book"}, book=("Keep all facts.", "Keep every fact.")),
    Edit("an example", {"book"}, book=("2 + 2 = 4.", "2 + 2 is 4.")),
    Edit("the prompt's longest reply", {"book"}, book=("max_tokens: 400", "max_tokens: 300")),
    Edit("a variable of a prompt", {"book"}, book=("({{ level }})", "({{ level | upper }})")),
    Edit(
        "a prompt's reply",
        {"asked", "half"},
        files={"prompts/ask.md.j2": ASK.replace("answer", "topic")},
    ),
    Edit(
        "an included file",
        {"book"},
        book=("Keep", "{% include 'prompts/rules.j2' %}Keep"),
        files={"prompts/rules.j2": "Be brief."},
    ),
    Edit("data", ALL - {"web"}, pins=Pins(PINS.models, {"docs": "d2", "web": "e1"})),
    Edit("weights", {"book"}, pins=Pins({**PINS.models, "writer": "w2"}, PINS.sources)),
    Edit("an operator's version", {"clean", "book"}, catalog=operator_changed("clean", version=99)),
    Edit("a check's version", {"book"}, catalog=operator_changed("length", version=99)),
    Edit("a package of a check", {"book"}, catalog=operator_changed("length", packages=("other",))),
    Edit("a value typed after --set", BELOW_PAGES, sets=("steps.pages.keep=words(text) > 9",)),
]
