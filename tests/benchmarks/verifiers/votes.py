"""Calls that a vote saves when it stops as soon as it is decided, and how accepted rows spread.

    make bench NAME=verifiers ARGS="votes"
    make bench NAME=verifiers ARGS="votes -- --problems 600"

Each problem has its own share of right draws, spread evenly from 0.05 to 0.95 in steps of 0.10
("even"), or as a good model has it on school problems: 0.99 (30 % of them), 0.95, 0.90, 0.80, 0.65
(15 % each) and 0.30 (10 %) ("easy"). A wrong draw gives one of four answers, in proportion to 1,
1/2, 1/3, 1/4. Recipes run as ever, on the
`fake` engine. What a vote decides (which answer, or that none reaches the share) is compared with
a plain count of all n draws of each problem, one by one. The peers look at the same draws: adaptive
consistency (arXiv 2305.11860) stops when its Beta posterior says 0.95, early-stopping
self-consistency (2401.10480) at the first window of 5 draws that agree; both give up the promise
that the decision is that of all draws.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from math import comb
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from mashbill.runtime.cli import command

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from tests.draws.solver import problem, solving, write_project  # noqa: E402

RIGHT = tuple(n / 100 for n in range(5, 100, 10))
EASY = (0.99,) * 6 + (0.95, 0.90, 0.80, 0.65) * 3 + (0.30,) * 2
SAMPLES = (8, 16, 40)
AGREE = (0.0, 0.5)
RECIPE = """\
mashbill: 1
name: votes
seed: 7
models: { solver: fake/solver }
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
  solved: { op: cot, from: docs, model: solver, prompt: prompts/cot.md.j2, COT }
"""
SELECT = "  best: { op: select, from: solved, vote: answer, min_agree: AGREE }\n"
OUTPUT = "output: { format: jsonl, columns: [text, answer, _draw, reasoning] }\n"
CORRECT = "{ right: { kind: expr, pass: \"answer == extract(text, 'Problem ([0-9]+)')\" } }"

Answers = Sequence[str]
Decision = str | None
Peer = Callable[[Answers], tuple[int, Decision]]


@dataclass(frozen=True, slots=True)
class Ran:
    """A run: its rows, the calls it made, its seconds."""

    rows: pl.DataFrame
    calls: int
    seconds: float


def run(arguments: list[str]) -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(prog="votes")
    parser.add_argument("--problems", type=int, default=200)
    count = parser.parse_args(arguments).problems
    even, easy = ([problem(i, kind[i % len(kind)]) for i in range(count)] for kind in (RIGHT, EASY))
    print(f"{count} problems of each kind; load {os.getloadavg()[0]:.1f}\n")
    with TemporaryDirectory() as folder, solving():
        for name, texts in (("even", even), ("easy", easy)):
            print(f"calls of a vote over n draws, {name} problems")
            show_votes(Path(folder) / name, texts)
        print("accepted rows a problem by its share of right draws, even problems")
        show_accepted(Path(folder), even)


def show_votes(folder: Path, texts: Sequence[str]) -> None:
    """Calls of full and early-stopped votes, and whether they decide alike."""
    head = (
        "n",
        "agree",
        "full",
        "stopped",
        "of full",
        "alike",
        "adaptive",
        "alike",
        "ESC",
        "alike",
    )
    print(_line(head))
    for samples in SAMPLES:
        full = done(folder / f"full{samples}", f"samples: {samples}", texts)
        drawn = answers_of(full.rows, texts, samples)
        for agree in AGREE:
            select = SELECT.replace("AGREE", str(agree))
            name = f"stopped{samples}-{agree}"
            found = done(folder / name, f"samples: {samples}", texts, select)
            decided = dict(zip(found.rows["text"], found.rows["answer"], strict=True))
            plain = {t: counted(a, agree) for t, a in drawn.items()}
            same = sum(decided.get(t) == plain[t] for t in texts) / len(texts)
            cells = [str(samples), f"{agree:.1f}", str(full.calls), str(found.calls)]
            cells += [f"{found.calls / full.calls:.3f}", f"{same:.1%}"]
            for peer in (adaptive, windowed):
                calls = [peer(a) for a in drawn.values()]
                alike = sum(
                    w == counted(a, 0.0) for (_, w), a in zip(calls, drawn.values(), strict=True)
                )
                shares = (sum(n for n, _ in calls) / full.calls, alike / len(texts))
                cells += ["–", "–"] if agree else [f"{shares[0]:.3f}", f"{shares[1]:.1%}"]
            print(_line(cells), flush=True)
    print()


def show_accepted(folder: Path, texts: Sequence[str]) -> None:
    """Accepted rows by difficulty: a fixed number of draws, as many of each, more of hard ones."""
    ways = {
        "samples: 8": f"samples: 8, checks: {CORRECT}",
        "accepted: 4": f"samples: 40, checks: {CORRECT}, until: {{ accepted: 4 }}",
        "… spread: hard": f"samples: 40, checks: {CORRECT}, until: {{ accepted: 4, spread: hard }}",
    }
    print(_line(("right", *(f"{r:.2f}" for r in RIGHT), "calls", "rows", "calls/row"), 15))
    for number, (name, cot) in enumerate(ways.items()):
        found = done(folder / f"way{number}", cot, texts)
        rows = Counter(found.rows["text"])
        means = []
        for right in RIGHT:
            ours = [t for t in texts if f"right {right:.2f}" in t]
            means.append(f"{sum(rows[t] for t in ours) / len(ours):.2f}")
        total = rows.total()
        cells = (name, *means, str(found.calls), str(total), f"{found.calls / total:.2f}")
        print(_line(cells, 15), flush=True)


def done(folder: Path, cot: str, texts: Sequence[str], select: str = "") -> Ran:
    """Run a recipe in a project of its own."""
    write_project(folder, RECIPE.replace("COT", cot) + select + OUTPUT, texts)
    began = time.perf_counter()
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        code = command(["run", str(folder), "--quiet"])
    assert code == 0, folder
    seconds = time.perf_counter() - began
    shards = sorted(folder.glob("out/votes/train-*"))
    rows = pl.concat([pl.read_ndjson(s) for s in shards], how="diagonal_relaxed")
    record = json.loads((folder / "out/votes/run.json").read_bytes())
    return Ran(rows, sum(m["sent"] for m in record["models"].values()), seconds)


def answers_of(rows: pl.DataFrame, texts: Sequence[str], samples: int) -> dict[str, list[str]]:
    """All answers to each problem, in the order of draws."""
    found = rows.sort("_draw").group_by("text", maintain_order=True).agg("answer")
    made = {str(t): list(map(str, a)) for t, a in found.iter_rows()}
    assert all(len(made[t]) == samples for t in texts)
    return made


def counted(answers: Answers, agree: float) -> Decision:
    """The most frequent of all answers, ties to the first drawn; None below the share."""
    winner, votes = Counter(answers).most_common(1)[0]
    return winner if votes >= agree * len(answers) else None


def adaptive(answers: Answers) -> tuple[int, Decision]:
    """Adaptive consistency: calls, and what they decide."""
    for drawn in range(1, len(answers) + 1):
        top = Counter(answers[:drawn]).most_common(2)
        second = top[1][1] if len(top) > 1 else 0
        if _ahead(top[0][1], second) >= 0.95:
            return drawn, top[0][0]
    return len(answers), counted(answers, 0.0)


def _ahead(first: int, second: int) -> float:
    """P(p > 1/2) for p of Beta(first + 1, second + 1)."""
    whole = first + second + 1
    return sum(comb(whole, k) for k in range(first + 1)) / 2**whole


def windowed(answers: Answers, size: int = 5) -> tuple[int, Decision]:
    """Early-stopping self-consistency: calls, and what they decide."""
    for end in range(size, len(answers) + 1, size):
        if len(set(answers[end - size : end])) == 1:
            return end, counted(answers[:end], 0.0)
    return len(answers), counted(answers, 0.0)


def _line(cells: Sequence[str], first: int = 3) -> str:
    return cells[0].ljust(first) + "".join(c.rjust(10) for c in cells[1:])
