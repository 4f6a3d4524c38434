"""Real rewrites of a small model, labelled faithful or not, and limits fitted on some of them."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from statistics import mean
from typing import Any

from mashbill.runtime.facts import form, kept, loops, support
from mashbill.runtime.facts.gate import LADDER, STYLES, Limits, judge
from mashbill.runtime.facts.pair import Pair
from mashbill.runtime.facts.text import read

DATA = Path(__file__).resolve().parents[3] / ".." / "shared" / "data"
LABELLED = DATA / "rewrite_faithfulness_labelled.jsonl.gz"
PARTS = ("sentences", "passages")
GOALS = {"sentences": (0.90, 0.6), "passages": (0.85, 0.5)}

Rewrite = dict[str, Any]
Gate = Callable[[Rewrite], bool]


@dataclass(frozen=True, slots=True)
class Score:
    """How a gate does on some rows."""

    rows: int
    faithful: int
    passed: int
    right: int

    @property
    def precision(self) -> float:
        return self.right / self.passed if self.passed else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.faithful if self.faithful else 0.0

    @property
    def f_third(self) -> float:
        """F with precision counting three times as much as recall (β² = 0.1)."""
        weighed = self.passed + 0.1 * self.faithful
        return 1.1 * self.right / weighed if weighed else 0.0

    def __str__(self) -> str:
        return f"{self.precision:.2f} at {self.recall:.2f}"


def load() -> list[Rewrite]:
    """The labelled rewrites."""
    with gzip.open(LABELLED, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def part(row: Rewrite) -> str:
    """Whether a row is a sentence or a passage."""
    return "sentences" if row["style"] == "sentence" else "passages"


def fold(row: Rewrite, of: int, seed: int = 0) -> int:
    """The fold of a row: all rewrites of a source fall in one."""
    digest = hashlib.sha256(f"{seed}:{row['source_id']}".encode()).digest()
    return digest[0] % of if of < 3 else int.from_bytes(digest[:4], "big") % of


def score(rows: Iterable[Rewrite], gate: Gate) -> Score:
    """Precision and recall of a gate that sees finished rewrites alone."""
    rows = list(rows)
    passed = [row for row in rows if row["finish_reason"] != "length" and gate(row)]
    faithful = sum(row["faithful"] for row in rows)
    return Score(len(rows), faithful, len(passed), sum(row["faithful"] for row in passed))


def limits_of(row: Rewrite) -> Limits:
    """The limits that are shipped for a row's style."""
    return STYLES["sentence" if row["style"] == "sentence" else "rewrite"]


def shipped(row: Rewrite) -> bool:
    """The gate as shipped."""
    return judge(row["rewrite"], row["source"], limits_of(row)).passed


def numbers_and_names(row: Rewrite) -> bool:
    """First baseline: numbers recall >= 0.9, names recall >= 0.8, none invented."""
    ours, theirs = read(row["rewrite"]), read(row["source"])
    if kept.numbers_invented(ours, theirs) or kept.names_invented(ours, theirs):
        return False
    return kept.numbers_lost(ours, theirs)[1] >= 0.9 and kept.names_lost(ours, theirs)[1] >= 0.8


def quick_lexical(row: Rewrite) -> bool:
    """Second baseline: the first, no meta talk, coverage, novelty, no repeat, length 0.5 to 1.4."""
    ours, theirs = read(row["rewrite"]), read(row["source"])
    novel = len(ours.content - theirs.content) / max(1, len(ours.content))
    ratio = len(row["rewrite"].split()) / max(1, len(row["source"].split()))
    return (
        numbers_and_names(row)
        and not form.meta_talk(row["rewrite"], row["source"])
        and not loops.looped(ours, theirs)
        and support.coverage(ours, theirs) >= 0.6
        and novel <= 0.35
        and 0.5 <= ratio <= 1.4
    )


def up_to(step: str) -> Gate:
    """The gate with its steps up to one of them, that one included."""
    steps = list(LADDER)[: list(LADDER).index(step) + 1]
    rules = {reason: rule for name in steps for reason, rule in LADDER[name].items()}

    def gate(row: Rewrite) -> bool:
        pair = Pair(row["rewrite"], row["source"], limits_of(row))
        return bool(pair.said.sentences) and not any(rule(pair) for rule in rules.values())

    return gate


GATES: dict[str, Gate] = {
    "gate": shipped,
    "numbers+names": numbers_and_names,
    "quick lexical": quick_lexical,
}

GRID = (
    (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4),
    (0.3, 0.4, 0.5, 0.6, 0.7, 1.0),
    (0.05, 0.1, 0.15, 0.2, 0.25, 1.0),
)
"""Novelty, disorder, repetition."""

Fitted = tuple[float, float, float]


def passing(rows: Sequence[Rewrite]) -> dict[Fitted, frozenset[str]]:
    """The ids of the rows that pass at each point of the grid."""
    found: dict[Fitted, set[str]] = {point: set() for point in product(*GRID)}
    wide = dict(zip(("novelty", "disorder", "repetition"), (1.0, 1.0, 1.0), strict=True))
    for row in rows:
        if row["finish_reason"] == "length":
            continue
        if not judge(row["rewrite"], row["source"], replace(limits_of(row), **wide)).passed:
            continue
        pair = Pair(row["rewrite"], row["source"], limits_of(row))
        for point in found:
            pair.limits = replace(limits_of(row), **dict(zip(wide, point, strict=True)))
            if not any(LADDER["content"][r](pair) for r in ("novelty", "garbled", "repetition")):
                found[point].add(row["id"])
    return {point: frozenset(ids) for point, ids in found.items()}


def fit(rows: Sequence[Rewrite], passes: dict[Fitted, frozenset[str]]) -> Fitted:
    """The limits that do best on some rows of one part.

    A point of the grid is worth the mean of itself and its neighbours, the edge repeated: with some
    twenty faithful rows a lone peak is luck.
    """
    points = list(product(*(range(len(axis)) for axis in GRID)))
    worth = {p: score(rows, lambda r, p=p: r["id"] in passes[_at(p)]).f_third for p in points}  # type: ignore[misc]

    def around(point: tuple[int, ...]) -> float:
        near = (
            [max(i - 1, 0), i, min(i + 1, len(axis) - 1)]
            for i, axis in zip(point, GRID, strict=True)
        )
        return mean(worth[p] for p in product(*near))

    return _at(max(points, key=around))


def _at(point: tuple[int, ...]) -> Fitted:
    novelty, disorder, repetition = (axis[i] for i, axis in zip(point, GRID, strict=True))
    return novelty, disorder, repetition


def cross_validated(
    rows: Sequence[Rewrite], passes: dict[Fitted, frozenset[str]], folds: int, seed: int
) -> tuple[dict[str, Score], Counter[Fitted]]:
    """Each fold decided with limits that were fitted on the others, for each part apart."""
    found: dict[str, Score] = {}
    chosen: Counter[Fitted] = Counter()
    for name in PARTS:
        inside = [row for row in rows if part(row) == name]
        kept_ids: set[str] = set()
        for k in range(folds):
            limits = fit([r for r in inside if fold(r, folds, seed) != k], passes)
            chosen[limits] += 1
            kept_ids |= {r["id"] for r in inside if fold(r, folds, seed) == k} & passes[limits]
        found[name] = score(inside, lambda r, ids=frozenset(kept_ids): r["id"] in ids)  # type: ignore[misc]
    return found, chosen
