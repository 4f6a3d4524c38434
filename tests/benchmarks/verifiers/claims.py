"""SummEdits: claims about documents, often with one edit by hand; which the document bears out."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mashbill.runtime.facts import kept
from mashbill.runtime.facts.gate import LADDER, STYLES
from mashbill.runtime.facts.pair import Pair
from mashbill.runtime.facts.text import read

DATA = Path(__file__).resolve().parents[3] / ".." / "shared" / "data"
CLAIMS = DATA / "factual_consistency_labelled.jsonl.gz"
LIMITS = STYLES["claim"]

Claim = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim, the rules of the gate that it breaks, and its number × entity recall."""

    row: Claim
    broken: tuple[str, ...]
    recall: float


def load() -> list[Claim]:
    """The labelled claims."""
    with gzip.open(CLAIMS, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def judged(row: Claim) -> Judged:
    """A claim held to its document."""
    pair = Pair(row["claim"], row["document"], LIMITS)
    rules = {r: rule for step in LADDER.values() for r, rule in step.items()}
    broken = tuple(r for r, rule in rules.items() if r not in LIMITS.free and rule(pair))
    return Judged(row, broken, recall(row))


def recall(row: Claim) -> float:
    """The baseline of `existing-tools.md` section 7: number × entity recall of the claim."""
    claim, document = read(row["claim"]), read(row["document"])
    return kept.numbers_lost(document, claim)[1] * kept.names_lost(document, claim)[1]


def balanced(kept_of: Sequence[bool], good: Sequence[bool]) -> tuple[float, float, float]:
    """P(keep | good), P(keep | bad) and the balanced accuracy."""
    phi = sum(k for k, g in zip(kept_of, good, strict=True) if g) / sum(good)
    psi = sum(k for k, g in zip(kept_of, good, strict=True) if not g) / (len(good) - sum(good))
    return phi, psi, (phi + 1 - psi) / 2


def area(scores: Sequence[float], good: Sequence[bool]) -> float:
    """The area under the curve: how often a good claim scores above a bad one, ties half."""
    high = [s for s, g in zip(scores, good, strict=True) if g]
    low = [s for s, g in zip(scores, good, strict=True) if not g]
    won = sum((h > one) + (h == one) / 2 for h in high for one in low)
    return won / (len(high) * len(low))


def folded(rows: Sequence[Claim], scores: Sequence[float], folds: int = 10) -> list[bool]:
    """Kept or not by a score, its threshold for each fold of documents fitted on the others."""
    groups = sorted({row["document"] for row in rows})
    at = {document: i % folds for i, document in enumerate(groups)}
    kept_of = [False] * len(rows)
    for k in range(folds):
        train = [i for i, row in enumerate(rows) if at[row["document"]] != k]
        good = [bool(rows[i]["consistent"]) for i in train]
        best = max(
            sorted({scores[i] for i in train}),
            key=lambda t: balanced([scores[i] >= t for i in train], good)[2],
        )
        for i, row in enumerate(rows):
            if at[row["document"]] == k:
                kept_of[i] = scores[i] >= best
    return kept_of
