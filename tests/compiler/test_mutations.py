"""Recipes broken at every place: nothing raises, slips are told once and where they are.

The whole corpus of slips is `make bench NAME=mutants`.
"""

from __future__ import annotations

import pytest

from mashbill.compiler.document import parse_document, walk
from mashbill.compiler.nodes import Node, Path
from mashbill.compiler.render import render

from ..benchmarks.mutation.bases import OWN, bases
from ..benchmarks.mutation.classes import CLASSES, mutants_of
from ..benchmarks.mutation.judge import judge
from .world import compile_text

RECIPE = """\
mashbill: 1
name: full
about: Everything.
version: 0.1.0
license: CC0-1.0
seed: 7
tokenizer: writer
models:
  writer:
    use: fake/rewrite
    sampling: { temperature: 0.5, stop: [END] }
    placement: { slots: 4 }
  asker: fake/words
sources:
  docs:
    path: docs.jsonl
    columns: { score: score }
    key: id
    license: CC0-1.0
    origin: human
    limit: 99
  web: { path: web.jsonl, text: body, license: unknown, acknowledge: [G702], origin: human }
steps:
  pages: { op: filter, from: [docs, web], keep: score is null or score > 3, limit: 50 }
  book:
    op: rewrite
    from: pages
    model: writer
    prompt: prompts/book.md.j2
    chunk: { by: sentence, max: 60 tokens }
    samples: 1
    set: { style: "= choose(['a', 'b'])", size: 3 }
    sampling: { temperature: 0.9, max_tokens: 99 }
    checks:
      length: { min: 0.5 }
      ours: { kind: expr, pass: words(text) > 1 }
      no_meta: { kind: regex, forbid: sure }
    on_fail:
      - retry: { times: 2, sampling: { temperature: 1 }, for: [length] }
      - fallback: input
  asked:
    op: generate
    from: book.rejected
    model: asker
    prompt: prompts/ask.md.j2
    samples: 2
    on_fail: reject
  right: { op: verify, from: asked, checks: { length: { source: text, max: 2 } } }
  clean: { op: clean, from: right.rejected, threshold: 0.4 }
mix:
  total: 1M tokens
  parts: { pages: 50%, book: { weight: 40%, max_epochs: 2 }, clean: 0.1 }
  min_human: 0%
  on_shortfall: shrink
output: { path: out/full, format: jsonl, shard: 1MB, columns: [text, style, summary] }
"""
ASK = """\
---
inputs: { text: str, score: any }
reply: { summary: text }
---
{% block user %}{{ text }}

Score: {{ score }}{% endblock %}
"""
FILES = {"prompts/ask.md.j2": ASK}
VALUES = ["3", "true", "", "[a]", "{ a: b }", '"x y"', "-1", "1e400", "'= text'", "nonsense", "0.5"]


def places() -> list[tuple[Path, Node]]:
    document, problems = parse_document(RECIPE, "recipe.yaml")
    assert document is not None and problems == ()
    return [(path, node) for path, node in walk(document) if path]


def test_the_recipe_is_right() -> None:
    compiled = compile_text(RECIPE, FILES)
    assert compiled.report.diagnostics == () and compiled.plan is not None


PLACES = places()


@pytest.mark.parametrize(
    ("path", "node"), PLACES, ids=[".".join(map(str, path)) for path, _ in PLACES]
)
def test_each_value_replaced(path: Path, node: Node) -> None:
    number = len(".".join(map(str, path))) + node.span.start
    for value in (VALUES[number % len(VALUES)], VALUES[(number * 7 + 3) % len(VALUES)]):
        text = RECIPE[: node.span.start] + value + RECIPE[node.span.end :]
        compiled = compile_text(text, FILES)
        shown = render(compiled.report)
        assert (compiled.plan is None) == (not compiled.report.ok), shown
        found = [d for d in compiled.report.errors if d.code[0] not in "S"]
        if len(path) > 2 or path[:1] in (
            ("seed",),
            ("version",),
            ("license",),
            ("about",),
            ("name",),
        ):
            # Where the value breaks the shape, nothing that leans on it is reported again.
            broken = any(
                d.code in ("S002", "S005")
                and d.span
                and node.span.start <= d.span.start <= node.span.start + len(value)
                for d in compiled.report.errors
            )
            assert not (broken and found), shown
            assert len(found) <= 2, shown


EACH = 9
"""Slips of each class that are tried."""
ASTRAY = 1
"""Of these, how many may be told on another line."""


def test_the_corpus_has_its_own_recipes() -> None:
    assert len(list(OWN.glob("*/recipe.yaml"))) == 3


@pytest.mark.parametrize("kind", CLASSES)
def test_slips_are_told_on_their_line(kind: str) -> None:
    own = [base for base in bases() if base.name.startswith("own/")]
    found, _ = mutants_of(kind, own)
    assert len(found) > 2 * EACH
    step = len(found) // EACH
    elsewhere = []
    for mutant in found[step // 2 :: step][:EACH]:
        verdict = judge(mutant)
        shown = f"{mutant.kind}: {mutant.base.name}: {mutant.name}\n{render(verdict.report)}"
        assert verdict.caught, shown
        elsewhere += [] if verdict.on_line else [shown]
    # Some slips read as another slip, a line further on.
    assert len(elsewhere) <= ASTRAY, "\n".join(elsewhere)


@pytest.mark.parametrize("line", range(2, RECIPE.count("\n")))
def test_each_line_removed(line: int) -> None:
    lines = RECIPE.splitlines(keepends=True)
    compiled = compile_text("".join(lines[:line] + lines[line + 1 :]), FILES)
    assert (compiled.plan is None) == (not compiled.report.ok)
