"""A recipe run twice on the fake engine: with rewrite rules and without."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mashbill.compiler.optimise import optimise
from mashbill.compiler.plan import Plan, lower
from mashbill.compiler.render import render
from mashbill.compiler.rules import RULES, Rule
from mashbill.compiler.spec import violations
from mashbill.runtime import execute, pipeline
from mashbill.runtime.api import Recipe
from mashbill.runtime.checkpool import CheckPool
from mashbill.runtime.pins import find_pins
from mashbill.runtime.project import Project

from .world import BOOK

Rules = Sequence[tuple[str, Rule]]

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
COLUMNS = "output: { columns: [text, _id, _doc, _source, _origin, lang] }\n"
FILES = {
    "prompts/plain.md.j2": BOOK,
    "prompts/book.md.j2": BOOK.replace("text: str", "text: str, style: str").replace(
        "Rewrite", "Rewrite {{ style }}"
    ),
    "prompts/ask.md.j2": BOOK.replace("text: str }", "text: str }\nreply: { summary: text }"),
}
TEXT = "often the old mill was used because many big rivers show how flour began while 1903 passed"


def named(*names: str) -> Rules:
    """Rules by name, in their order."""
    assert set(names) <= dict(RULES).keys()
    return tuple((name, rule) for name, rule in RULES if name in names)


def documents() -> list[dict[str, Any]]:
    """120 rows in three languages; some texts are short, 24 stand there twice."""
    words = TEXT.split()
    rows = []
    for row in range(120):
        i = row - 59 if 60 <= row < 84 else row
        sentences = [
            " ".join(words[(i * 3 + j * 5 + k) % len(words)] for k in range(4 + (i + j) % 7))
            for j in range(1 + i % 3)
        ]
        text = ". ".join(s.capitalize() for s in sentences) + "."
        lang = ("en", "de", None)[row % 3]
        rows.append({"text": text if i % 7 else f"Short {i}.", "lang": lang})
    return rows


def project_of(folder: Path, steps: str) -> Project:
    """A project with the base recipe, these steps behind it, and its data."""
    folder.mkdir(parents=True)
    (folder / ".mashbill").mkdir()
    recipe = HEAD + steps + ("" if "mix:" in steps or "output:" in steps else COLUMNS)
    (folder / "recipe.yaml").write_text(recipe, "utf-8")
    rows = documents()
    for name, part in (("docs", rows[:84]), ("web", rows[84:])):
        lines = "".join(json.dumps(r) + "\n" for r in part)
        (folder / f"{name}.jsonl").write_text(lines, "utf-8")
    for path, text in FILES.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    return Project(folder / "recipe.yaml", folder)


def plans(project: Project, rules: Rules = RULES) -> tuple[Plan, Plan]:
    """The plan of a recipe with rules, and without any."""
    recipe = Recipe(project)
    first = recipe.compile()
    assert first.plan is not None, render(first.report)
    pins, missing = find_pins(first.plan, project)
    assert not missing
    compiled = recipe.compile(pins)
    assert compiled.plan and compiled.graph and compiled.recipe
    graph = compiled.graph
    assert compiled.plan is not None
    columns = compiled.plan.output["columns"]

    def check(after: Any) -> None:
        assert violations(after) == ()

    rewritten, applied = optimise(graph, rules, check)
    return (
        lower(compiled.recipe, rewritten, applied, pins.models, columns),
        lower(compiled.recipe, graph, (), pins.models, columns),
    )


@dataclass
class Aside(pipeline.Sink):
    """Remembers document and reason of what a step rejects."""

    rows: list[tuple[str, str]] = field(default_factory=list)

    def take(self, frame: pl.DataFrame) -> None:
        self.rows += zip(frame["_doc"], frame["_reason"], strict=True)


@dataclass
class Ran:
    """What came of a run.

    Attributes:
        shards: The bytes of the data set.
        rows: How many it has.
        reasons: Rejected documents with their reasons by step, each as often as it was rejected.
        steps: The account of each step.
        sent: Calls sent to the engine.
    """

    shards: list[bytes]
    rows: int
    reasons: dict[str, list[tuple[str, str]]]
    steps: dict[str, dict[str, Any]]
    sent: int


def run(plan: Plan, project: Project, patch: pytest.MonkeyPatch) -> Ran:
    """Run a plan in its project."""
    asides = {n.name: Aside() for n in plan.nodes if n.stage != "scan"}
    original = pipeline.Pipeline.run

    async def observed(self: pipeline.Pipeline, sinks: Mapping[tuple[str, str], Any]) -> None:
        await original(self, {**sinks, **{(n, "rejected"): s for n, s in asides.items()}})

    with patch.context() as patched:
        patched.setattr(pipeline.Pipeline, "run", observed)
        # Workers of their own change no verdict, and take longer to start than these runs last.
        patched.setattr(execute, "Execution", partial(execute.Execution, pool=CheckPool(0)))
        record = execute.run_plan(plan, project)
    out = project.root / record["output"]["path"]
    return Ran(
        [(out / s["file"]).read_bytes() for s in record["output"]["shards"]],
        record["output"]["rows"],
        {n: sorted(asides[plan.aliases.get(n, n)].rows) for n in (*asides, *plan.aliases)},
        record["steps"],
        sum(m["sent"] for m in record["models"].values()),
    )


@dataclass
class Compared:
    """The same recipe with rules and without; `fired` are the rules that did something."""

    fired: set[str]
    ruled: Ran
    plain: Ran


def compared(
    folder: Path, steps: str, patch: pytest.MonkeyPatch, rules: Rules = RULES
) -> Compared | None:
    """Run a recipe both ways; the same bytes and reasons must come out. None if no rule fires."""
    with_rules = project_of(folder / "with", steps)
    without = project_of(folder / "without", steps)
    rewritten, logical = plans(with_rules, rules)
    assert rewritten.digest == logical.digest
    assert {n.name: n.fingerprint for n in rewritten.nodes}.items() <= {
        n.name: n.fingerprint for n in logical.nodes
    }.items()
    assert Plan.load(rewritten.dump()) == Plan.load(Plan.load(rewritten.dump()).dump())
    if not rewritten.applied:
        return None
    ruled = run(Plan.load(rewritten.dump()), with_rules, patch)
    plain = run(logical, without, patch)
    assert ruled.shards == plain.shards
    assert {n: set(r) for n, r in ruled.reasons.items()} == {
        n: set(r) for n, r in plain.reasons.items()
    }
    # Equal calls are joined by the window too, so sharing saves work and no call.
    assert ruled.sent <= plain.sent
    return Compared({name for name, _ in rewritten.applied}, ruled, plain)
