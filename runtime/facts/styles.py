"""How close each style of rewriting stays to its source: the one table of thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Style = Literal["rewrite", "sentence", "distill", "tutorial", "qa", "math", "claim"]

FREE = frozenset({"obligation", "claim", "person", "hedge", "negation_added"})
"""Turns that a style may make which speaks to a reader of its own."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Where the rules with a measure draw the line, and which rules a style is free of.

    Attributes:
        numbers: Least share of the numbers of the retold sentences.
        names: Least share of the names of the retold sentences.
        coverage: Least share of the content words of the source.
        novelty: Largest share of a sentence's content words that its place in the source lacks.
        disorder: Largest share of a sentence's word pairs that are not the source's.
        repetition: Largest share of a sentence's content words that are said again.
        shortest: Least number of words for each word of the source.
        longest: Largest number of words for each word of the source.
        clauses: Least share of the clauses of the source.
        copied: Largest share of runs of four words that are the source's.
        fresh: Largest share of runs of four words that are not.
        span: Largest number of words in a row that are the source's; 0 for any.
        score: Least score (`score.py`).
        free: Reasons that are no failure in this style.
        reckons: Whether values that the rewrite derives by right arithmetic are borne out.
        answers: Whether only answers count: questions are neither measured nor held to the source.
    """

    numbers: float
    names: float
    coverage: float
    novelty: float
    disorder: float = 0.5
    repetition: float = 0.15
    shortest: float = 0.0
    longest: float = 100.0
    clauses: float = 0.0
    copied: float = 1.0
    fresh: float = 1.0
    span: int = 0
    score: float = 0.0
    free: frozenset[str] = frozenset()
    reckons: bool = False
    answers: bool = False


_TALK = frozenset({"obligation", "claim", "person", "hedge", "unfinished"})

STYLES: Mapping[Style, Limits] = {
    "rewrite": Limits(
        numbers=0.75, names=0.6, coverage=0.3, novelty=0.15, shortest=0.3, longest=1.25
    ),
    "sentence": Limits(
        numbers=0.9, names=0.8, coverage=0.4, novelty=0.15, shortest=0.3, longest=1.6
    ),
    "distill": Limits(
        numbers=0.5, names=0.6, coverage=0.15, novelty=0.25, disorder=0.8,
        shortest=0.15, longest=0.8,
    ),
    "tutorial": Limits(
        numbers=0.75, names=0.6, coverage=0.3, novelty=0.5, disorder=0.9, repetition=0.25,
        shortest=0.3, longest=2.0, free=_TALK,
    ),
    "qa": Limits(
        numbers=0.0, names=0.0, coverage=0.0, novelty=0.3, disorder=0.9, repetition=0.25,
        shortest=0.05, longest=1.25, free=_TALK, answers=True,
    ),
    "math": Limits(
        numbers=0.0, names=0.0, coverage=0.0, novelty=1.0, disorder=1.0, repetition=1.0,
        free=_TALK | {"negation", "direction", "role", "number_moved"}, reckons=True,
    ),
    "claim": Limits(
        numbers=0.0, names=0.0, coverage=0.0, novelty=1.0, disorder=1.0, repetition=1.0,
        longest=1.0, free=frozenset({"name_moved", "hedge", "overstated", "reference"}),
    ),
}  # fmt: skip
