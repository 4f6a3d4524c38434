"""A small project on disk whose model is the `fake` engine, and the command run on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mashbill.runtime.checkpool import CheckPool
from mashbill.runtime.cli import command

PROMPT = """\
---
inputs: { text: str }
---
{% block system %}Rewrite the sentence. Keep all facts.{% endblock %}
{% block user %}{{ text }}{% endblock %}
"""

MODELS = """\
mashbill: 1
name: spine
seed: 7
models:
  writer: { use: fake/rewrite, placement: { latency: LATENCY, slots: SLOTS, journal: JOURNAL } }
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
"""

RECIPE = (
    MODELS
    + """\
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
)


@dataclass(frozen=True)
class Said:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


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

    def rows(self) -> pl.DataFrame:
        """The data set."""
        return pl.concat(
            [pl.read_parquet(p) for p in sorted(self.folder.glob("out/spine/train-*"))]
        )

    def record(self) -> dict[str, Any]:
        """The run record beside the data set."""
        value: dict[str, Any] = json.loads((self.folder / "out/spine/run.json").read_text())
        return value

    def last(self) -> dict[str, Any]:
        """The record of the latest run, whatever became of it."""
        runs = sorted(self.folder.glob(".mashbill/runs/r-*/record.json"))
        value: dict[str, Any] = json.loads(runs[-1].read_text())
        return value

    def errors(self) -> list[dict[str, Any]]:
        """What the latest run kept aside."""
        runs = sorted(p for p in self.folder.glob(".mashbill/runs/r-*"))
        file = runs[-1] / "errors.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def leftovers(self) -> list[str]:
        """Working files that no finished run leaves behind."""
        found = [*self.folder.glob("out/.*"), *self.folder.glob(".mashbill/runs/*/spool")]
        return [str(p.relative_to(self.folder)) for p in found]

    def write(self, recipe: str, *, latency: str = "0ms", slots: int = 32) -> None:
        """Write the recipe, its placement filled in."""
        recipe = recipe.replace("LATENCY", latency).replace("SLOTS", str(slots))
        recipe = recipe.replace("JOURNAL", str(self.journal))
        (self.folder / "recipe.yaml").write_text(recipe)

    def edit(self, old: str, new: str) -> None:
        """Change the recipe."""
        file = self.folder / "recipe.yaml"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))

    def feed(self, rows: Iterable[Mapping[str, Any] | bytes], name: str = "docs.jsonl") -> None:
        """Write a source: rows, or lines as they are."""
        lines = [r if isinstance(r, bytes) else json.dumps(r).encode() for r in rows]
        (self.folder / name).write_bytes(b"".join(line + b"\n" for line in lines))

    def forget_output(self) -> None:
        """Remove the shards, so that the data set has to be written again."""
        for shard in self.folder.glob("out/spine/train-*"):
            shard.unlink()

    def do(self, verb: str, *arguments: str) -> Said:
        """A command, in this process; it never lets an exception out."""
        out, err = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = command([verb, str(self.folder), *arguments])
        said = Said(code, out.getvalue(), err.getvalue())
        assert "Traceback" not in said.text
        return said

    def run(self, *arguments: str) -> Said:
        """`mashbill run --quiet`."""
        return self.do("run", "--quiet", *arguments)

    def good_run(self, *arguments: str) -> dict[str, Any]:
        """A run that must succeed, and whose accounts must add up."""
        said = self.run(*arguments)
        assert said.code == 0, said.text
        balance(self.record())
        return self.record()

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """`mashbill run` in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "mashbill", "run", str(self.folder), "--quiet", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, **environment},
        )


def balance(record: Mapping[str, Any]) -> None:
    """Assert the accounting identity at every step of a record."""
    assert record["steps"]
    for name, a in record["steps"].items():
        gone = a["out"] + a["merged"] + a["routed"] + a["pending"]
        gone += sum(a["rejected"].values()) + sum(a["errors"].values())
        assert a["in"] + a["created"] == gone, (name, a)


def documents(count: int, sentences: int = 6) -> list[str]:
    """Texts of plain sentences, all different."""
    return [
        " ".join(
            f"Station {i} measured {20 + i * 7 + s} millimetres of rain on day {s + 1}."
            for s in range(sentences)
        )
        for i in range(count)
    ]


def make_spine(
    folder: Path,
    texts: Sequence[str],
    *,
    recipe: str = RECIPE,
    latency: str = "0ms",
    slots: int = 32,
) -> Spine:
    """Write a project."""
    (folder / "prompts").mkdir(parents=True, exist_ok=True)
    (folder / "prompts/book.md.j2").write_text(PROMPT)
    (folder / ".mashbill").mkdir(exist_ok=True)
    spine = Spine(folder)
    spine.feed({"text": t} for t in texts)
    spine.write(recipe, latency=latency, slots=slots)
    return spine


@pytest.fixture(autouse=True)
def checks_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker for each of a hundred small runs; runs in processes of their own have theirs."""
    monkeypatch.setattr(CheckPool.__init__, "__defaults__", (0,))


@pytest.fixture
def spine(tmp_path: Path) -> Spine:
    return make_spine(tmp_path / "spine", documents(40))
