"""How near a rewrite lies to its source in the space of an embedder.

After step 7 of the fact gate in `published-recipes.md` (section 10.2). Where to draw the line has
to be found for each embedder: a cosine of one means nothing in another.

Measured with all-MiniLM-L6-v2 on real rewrites of a 135M model (`tests/benchmarks/verifiers`): it
tells faithful ones from others with AUC 0.87 on single sentences and 0.74 on passages; among those
that the gate has passed before, hardly at all. On edited claims (SummEdits) it is chance (0.51):
one wrong number moves no vector. An upper bound keeps copies out and knows nothing of truth: many
faithful rewrites of a small model lie above 0.98.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..outcome import all_of
from ..requests import Message
from ..scoring.wire import cosine, read_vector
from ..verdict import Verdict
from .model_windows import windows_of

if TYPE_CHECKING:
    from ..consult import Consult

_SPECIAL = 8
"""Tokens that a model sets around a text."""


async def similarity(got: str, source: str, consult: Consult) -> float:
    """Cosine of the two texts, from -1 to 1. Raises `EngineError`."""
    ours, theirs = await all_of(_vector(text, consult) for text in (got, source))
    return cosine(ours, theirs)


async def judge_similarity(
    got: str, source: str, between: tuple[float, float], consult: Consult
) -> Verdict:
    """Whether the cosine lies between two bounds, both allowed. Raises `EngineError`."""
    found = round(await similarity(got, source, consult), 4)
    seen = {"similarity": found}
    low, high = between
    if found < low:
        return Verdict(False, "unlike", seen)
    return Verdict(False, "too_like", seen) if found > high else Verdict(True, evidence=seen)


def asked(text: str) -> tuple[Message, ...]:
    """The question of one text."""
    return (Message("user", text),)


async def _vector(text: str, consult: Consult) -> Sequence[float]:
    """Of a text; the mean over its stretches, where it is too long to be read at once."""
    context, tokens = consult.context("embedder"), consult.tokens("embedder")
    room = None if context is None else max(8, int(0.95 * context) - _SPECIAL)
    windows = windows_of(text, room, tokens.count) or ("",)
    entries = await all_of(consult.ask("embedder", asked(window)) for window in windows)
    vectors = [read_vector(entry.text) for entry in entries]
    return [sum(values) / len(vectors) for values in zip(*vectors, strict=True)]
