"""A small project on disk whose model is the `fake` engine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROMPT = """\
---
inputs: { text: str }
---
{% block system %}Rewrite the sentence. Keep all facts.{% endblock %}
{% block user %}{{ text }}{% endblock %}
"""

RECIPE = """\
mashbill: 1
name: spine
seed: 7
models:
  writer: { use: fake/rewrite, placement: { latency: LATENCY, slots: 32, journal: JOURNAL } }
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
  long: { op: filter, from: docs, keep: words(text) > 8 }
  book:
    op: rewrite
    from: long
    model: writer
    prompt: prompts/book.md.j2
    chunk: { by: sentence, max: 80 tokens }
    checks: { kept: { kind: expr, pass: "not contains(text, 'Maren')" } }
    on_fail: [{ retry: 2 }, { fallback: input }]
mix:
  total: 4000 tokens
  parts: { long: 50%, book: 50% }
  min_human: 50%
  on_shortfall: shrink
"""


@dataclass(frozen=True)
class Spine:
    """A project folder, its journal of requests sent, and its recipe."""

    folder: Path

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    def sent(self) -> list[str]:
        """Requests that the engine was sent, in order, by key and draw."""
        return self.journal.read_text().split("\n")[:-1] if self.journal.exists() else []

    def shards(self) -> dict[str, bytes]:
        """The bytes of the data set."""
        return {p.name: p.read_bytes() for p in sorted(self.folder.glob("out/spine/train-*"))}

    def record(self) -> dict[str, Any]:
        """The run record beside the data set."""
        value: dict[str, Any] = json.loads((self.folder / "out/spine/run.json").read_text())
        return value


def documents(count: int, sentences: int = 6) -> list[str]:
    """Texts of plain sentences, all different."""
    return [
        " ".join(
            f"Station {i} measured {20 + i * 7 + s} millimetres of rain on day {s + 1}."
            for s in range(sentences)
        )
        for i in range(count)
    ]


def make_spine(folder: Path, texts: Sequence[str], *, latency: str = "0ms") -> Spine:
    """Write a project."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prompts").mkdir(exist_ok=True)
    (folder / "prompts/book.md.j2").write_text(PROMPT)
    (folder / "docs.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in texts))
    recipe = RECIPE.replace("LATENCY", latency).replace("JOURNAL", str(folder / "journal"))
    (folder / "recipe.yaml").write_text(recipe)
    (folder / ".mashbill").mkdir(exist_ok=True)
    return Spine(folder)


@pytest.fixture
def spine(tmp_path: Path) -> Spine:
    return make_spine(tmp_path / "spine", documents(40))
