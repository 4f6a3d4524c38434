"""Rules change nothing but the bill: a plan with and without them, run on the fake engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mashbill.compiler.plan import Plan, lower
from mashbill.compiler.render import render
from mashbill.runtime import pipeline
from mashbill.runtime.api import Recipe, find_pins
from mashbill.runtime.execute import run_plan
from mashbill.runtime.project import Project

from .world import BOOK

HEAD = """\
mashbill: 1
name: rules
seed: 5
models: { writer: fake/rewrite }
sources:
  docs: { path: docs.jsonl, columns: { lang: lang }, license: CC0-1.0, origin: human }
  web: { path: web.jsonl, columns: { lang: lang }, license: CC0-1.0, origin: human }
steps:
  pages: { op: filter, from: docs, keep: words(text) > 3 }
"""
BOOK_STEP = """\
  book:
    op: rewrite
    from: pages
    model: writer
    prompt: prompts/book.md.j2
    set:
      style: "= choose(['plain', 'fine'])"
    chunk: { by: sentence, max: 60 tokens }
    checks: { length: { min: 0.8, max: 1.1 }, ours: { kind: expr, pass: words(text) > 5 } }
    on_fail: [{ retry: 2 }, { fallback: input }]
"""
ASK_STEP = """\
  asked:
    op: generate
    from: pages
    model: writer
    prompt: prompts/ask.md.j2
    samples: 3
    checks: { short: { kind: expr, pass: words(summary) < 14 } }
    on_fail: [{ retry: 1 }, { fallback: input }]
"""
FILES = {
    "prompts/book.md.j2": BOOK.replace("text: str", "text: str, style: str").replace(
        "Rewrite", "Rewrite {{ style }}"
    ),
    "prompts/ask.md.j2": BOOK.replace("text: str }", "text: str }\nreply: { summary: text }"),
}
TWIN = BOOK_STEP.replace("choose(['plain', 'fine'])", "lower('PLAIN')")
COLUMNS = "output: { columns: [text, _id, _doc, _source, _origin, lang] }\n"

PUSH = {
    "a_column_of_the_source": BOOK_STEP
    + "  english: { op: filter, from: book, keep: lang == 'en' }\n",
    "a_set_and_a_draw": BOOK_STEP
    + """\
  english:
    op: filter
    from: book
    set: { lang: "= choose(['xx', 'yy', 'zz'])" }
    keep: hash01(_doc) < 0.7 and choose([true, true, false])
""",
    "a_chain": BOOK_STEP
    + """\
  english: { op: filter, from: book, keep: lang == 'en' }
  some: { op: filter, from: english, keep: hash01(_doc) < 0.6 }
  long: { op: filter, from: some, keep: words(text) > 5 }
""",
    "samples": ASK_STEP + "  english: { op: filter, from: asked, keep: lang == 'en' }\n",
    "several_inputs": BOOK_STEP.replace("from: pages", "from: [pages, web]")
    + "  some: { op: filter, from: book, keep: _source == 'web' or hash01(_doc) < 0.5 }\n",
    "rejected_rows": BOOK_STEP.replace("from: pages", "from: pages.rejected")
    + "  english: { op: filter, from: book, keep: lang == 'en' }\n",
    "a_limit_above_and_below": BOOK_STEP.replace("from: pages", "from: some")
    + """\
  some: { op: filter, from: pages, limit: 20 }
  english: { op: filter, from: book, keep: lang == 'en' }
  few: { op: filter, from: english, limit: 4 }
""",
    "before_a_mix": BOOK_STEP
    + """\
  english: { op: filter, from: book, keep: lang == 'en' }
  long: { op: filter, from: english, keep: words(text) > 5 }
mix:
  total: 900 tokens
  parts: { pages: 60%, long: 40% }
  min_human: 60%
  on_shortfall: shrink
""",
}
SHARE = {
    "two_readers": TWIN
    + TWIN.replace("book:", "same:")
    + """\
  long: { op: filter, from: book, keep: words(text) > 14 }
  short: { op: filter, from: same, keep: words(text) <= 14 }
  all: { op: filter, from: [long, short], set: { kind: any } }
""",
    "one_reader_of_both": TWIN
    + TWIN.replace("book:", "same:")
    + "  all: { op: filter, from: [book, same], set: { kind: any } }\n",
    "what_is_rejected": TWIN.replace(", { fallback: input }", "")
    + TWIN.replace("book:", "same:").replace(", { fallback: input }", "")
    + """\
  bad: { op: filter, from: same.rejected, keep: "_reason == 'too_long'" }
  all: { op: filter, from: [book, bad], set: { kind: any } }
""",
    "a_part_of_a_mix": TWIN
    + TWIN.replace("book:", "same:")
    + """\
  long: { op: filter, from: book, set: { text: = upper(text) }, keep: words(text) > 5 }
mix:
  total: 900 tokens
  parts: { pages: 50%, same: 30%, long: 20% }
  min_human: 50%
  on_shortfall: shrink
""",
}


TEXT = "often the old mill was used because many big rivers show how flour began while 1903 passed"


def documents() -> list[dict[str, Any]]:
    words = TEXT.split()
    rows = []
    for i in range(120):
        sentences = [
            " ".join(words[(i * 3 + j * 5 + k) % len(words)] for k in range(4 + (i + j) % 7))
            for j in range(1 + i % 3)
        ]
        text = ". ".join(s.capitalize() for s in sentences) + "."
        lang = ("en", "de", None)[i % 3]
        rows.append({"text": text if i % 7 else f"Short {i}.", "lang": lang})
    return rows


def project_of(folder: Path, steps: str) -> Project:
    folder.mkdir()
    (folder / ".mashbill").mkdir()
    recipe = HEAD + steps + ("" if "mix:" in steps else COLUMNS)
    (folder / "recipe.yaml").write_text(recipe, "utf-8")
    rows = documents()
    for name, part in (("docs", rows[:84]), ("web", rows[84:])):
        lines = "".join(json.dumps(r) + "\n" for r in part)
        (folder / f"{name}.jsonl").write_text(lines, "utf-8")
    for path, text in FILES.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    return Project(folder / "recipe.yaml", folder)


def plans(project: Project) -> tuple[Plan, Plan]:
    """The plan of a recipe with its rules, and without."""
    recipe = Recipe(project)
    first = recipe.compile()
    assert first.plan is not None, render(first.report)
    pins, missing = find_pins(first.plan, project)
    assert not missing
    compiled = recipe.compile(pins)
    assert compiled.plan and compiled.graph and compiled.recipe
    return compiled.plan, lower(compiled.recipe, compiled.graph, (), pins.models)


@dataclass
class Aside(pipeline.Sink):
    """Remembers document and reason of what a step rejects."""

    rows: set[tuple[str, str]] = field(default_factory=set)

    def take(self, frame: pl.DataFrame) -> None:
        self.rows |= set(zip(frame["_doc"], frame["_reason"], strict=True))


def run(plan: Plan, project: Project, patch: pytest.MonkeyPatch) -> tuple[Any, Any, int]:
    """Rows of the data set, rejected documents with their reasons by step, and calls sent."""
    asides = {n.name: Aside() for n in plan.nodes if n.stage != "scan"}
    original = pipeline.Pipeline.run

    async def observed(self: pipeline.Pipeline, sinks: Mapping[tuple[str, str], Any]) -> None:
        await original(self, {**sinks, **{(n, "rejected"): s for n, s in asides.items()}})

    with patch.context() as patched:
        patched.setattr(pipeline.Pipeline, "run", observed)
        record = run_plan(plan, project)
    out = project.root / record["output"]["path"]
    rows = pl.read_parquet([out / s["file"] for s in record["output"]["shards"]])
    sent = sum(m["sent"] for m in record["models"].values())
    reasons = {n: asides[plan.aliases.get(n, n)].rows for n in (*asides, *plan.aliases)}
    return rows, reasons, sent


def compared(with_rules: Project, without: Project, patch: pytest.MonkeyPatch) -> set[str]:
    """Run a recipe both ways, and compare; the rules that fired. Runs nothing if none does."""
    rewritten, _ = plans(with_rules)
    _, logical = plans(without)
    assert rewritten.digest == logical.digest
    fired = {name for name, _ in rewritten.applied}
    if not fired:
        return fired
    rows, reasons, calls = run(rewritten, with_rules, patch)
    rows2, reasons2, calls2 = run(logical, without, patch)
    assert rows.equals(rows2)
    assert reasons == reasons2
    # Equal calls are joined by the window too, so sharing saves work and no call.
    assert calls <= calls2
    return fired


@pytest.mark.parametrize("steps", PUSH.values(), ids=PUSH)
def test_a_moved_filter_gives_the_same_rows_and_reasons_for_fewer_calls(
    steps: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_rules = project_of(tmp_path / "with", steps)
    without = project_of(tmp_path / "without", steps)
    assert compared(with_rules, without, monkeypatch) == {"push_filter"}
    (rows, sent), (rows2, sent2) = calls_of(with_rules), calls_of(without)
    assert rows == rows2 > 0
    assert 0 < sent < sent2


@pytest.mark.parametrize("steps", SHARE.values(), ids=SHARE)
def test_a_shared_step_gives_the_same_rows_and_reasons(
    steps: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_rules = project_of(tmp_path / "with", steps)
    without = project_of(tmp_path / "without", steps)
    assert "share_calls" in compared(with_rules, without, monkeypatch)
    (rows, sent), (rows2, sent2) = calls_of(with_rules), calls_of(without)
    assert rows == rows2 > 0
    assert sent == sent2 > 0


def calls_of(project: Project) -> tuple[int, int]:
    """Rows written and calls sent by the one run of a project."""
    (file,) = (project.state / "runs").glob("*/record.json")
    record = json.loads(file.read_text("utf-8"))
    return record["output"]["rows"], sum(m["sent"] for m in record["models"].values())
