"""Small runs of recipes that draw and choose, on a model whose answers are known."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mashbill.compiler import compile as compiling
from mashbill.compiler.rules import RULES
from mashbill.runtime.checkpool import CheckPool

from ..runtime.conftest import Said, Spine
from .solver import problem, solving, write_project

HEAD = """\
mashbill: 1
name: spine
seed: 7
models:
  solver: { use: fake/solver, placement: { latency: 0ms, jitter: JITTER, slots: SLOTS } }
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
"""
COLUMNS = "output: { columns: [text, _id, _doc, answer, _draw, reasoning] }\n"
RIGHT = "{ kind: expr, pass: \"answer == extract(text, 'Problem ([0-9]+)')\" }"
COT = "op: cot, model: solver, prompt: prompts/cot.md.j2"


def problems(count: int) -> list[str]:
    """Problems of all kinds: solved never, always and in between."""
    return [problem(i, (i % 11) / 10) for i in range(count)]


@dataclass(frozen=True)
class Ran(Spine):
    """A project that was run."""

    said: Said

    def step(self, name: str) -> dict[str, Any]:
        """The account of a step."""
        found: dict[str, Any] = self.last()["steps"][name]
        return found

    @property
    def calls(self) -> int:
        """Requests that were sent."""
        return sum(int(m["sent"]) for m in self.last()["models"].values())


def run(
    folder: Path,
    steps: str,
    texts: Sequence[str],
    *arguments: str,
    jitter: str = "0ms",
    slots: int = 64,
    columns: str = COLUMNS,
    code: int = 0,
) -> Ran:
    """Run a recipe; its accounts must add up."""
    recipe = (HEAD + steps + columns).replace("JITTER", jitter).replace("SLOTS", str(slots))
    write_project(folder, recipe, texts)
    return again(folder, *arguments, code=code)


def again(folder: Path, *arguments: str, code: int = 0) -> Ran:
    """Run what is there."""
    said = Spine(folder).run(*arguments)
    assert said.code == code, said.text
    ran = Ran(folder, said)
    for name, a in ran.last()["steps"].items():
        gone = a["out"] + a["merged"] + a["routed"] + a["pending"]
        gone += sum(a["rejected"].values()) + sum(a["errors"].values())
        assert a["in"] + a["created"] == gone, (name, a)
    return ran


def accepted(ran: Ran) -> Counter[str]:
    """Rows of the data set by document."""
    return Counter(ran.rows()["_doc"].to_list()) if ran.shards() else Counter()


def by_doc(texts: Sequence[str], ran: Ran) -> dict[str, pl.DataFrame]:
    """Rows of the data set by the problem's text."""
    rows = ran.rows()
    return {text: rows.filter(pl.col("text") == text) for text in texts}


def dumped(value: Any) -> str:
    """For messages."""
    return json.dumps(value, indent=1, default=str)


@pytest.fixture(autouse=True)
def solver() -> Iterator[None]:
    """The model of these runs."""
    with solving():
        yield


@pytest.fixture(autouse=True)
def checks_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """No workers for runs this small."""
    monkeypatch.setattr(CheckPool.__init__, "__defaults__", (0,))


@pytest.fixture
def no_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile without the rule that stops a decided vote."""
    rest = tuple((name, rule) for name, rule in RULES if name != "stop_decided")
    original = compiling.optimise
    monkeypatch.setattr(compiling, "optimise", lambda graph: original(graph, rest))
