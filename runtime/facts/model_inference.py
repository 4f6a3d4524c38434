"""Whether the source entails each sentence of a rewrite, by a model of natural language inference.

After SummaC (2111.09525) and MiniCheck (2404.10774): each sentence is held against each stretch of
the source, and the stretch that supports it most counts. Step 8 of the fact gate in
`published-recipes.md` (section 10.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..outcome import all_of
from ..scoring.wire import Entailment, pair, read_entailment
from ..verdict import Verdict
from .model_windows import sentences_of, windows_of

if TYPE_CHECKING:
    from ..consult import Consult

HALF = 0.5
"""From here on, a sentence counts as supported, or as contradicted."""
_SPECIAL = 8
_LEAST_ROOM = 32


@dataclass(frozen=True, slots=True)
class Held:
    """A sentence held against the source.

    Attributes:
        sentence: Of the rewrite.
        support: Probability that the stretch which supports it most entails it.
        against: Probability that a stretch contradicts it; 0 where another one supports it.
    """

    sentence: str
    support: float
    against: float


async def hold(got: str, source: str, consult: Consult) -> list[Held]:
    """Hold every sentence against the source. Raises `EngineError`."""
    sentences = sentences_of(got)
    context, tokens = consult.context("nli"), consult.tokens("nli")
    longest = max(tokens.count(sentences), default=0)
    room = None if context is None else max(_LEAST_ROOM, context - longest - _SPECIAL)
    windows = windows_of(source, room, tokens.count)

    async def one(sentence: str) -> Held:
        asks = (consult.ask("nli", pair(window, sentence)) for window in windows)
        return _held(sentence, [read_entailment(entry.text) for entry in await all_of(asks)])

    return await all_of(one(sentence) for sentence in sentences)


async def judge_support(got: str, source: str, least: float, consult: Consult) -> Verdict:
    """Whether enough sentences are supported, and none contradicted. Raises `EngineError`."""
    held = await hold(got, source, consult)
    supported = sum(h.support > HALF for h in held)
    share = supported / len(held) if held else 0.0
    seen = {
        "supported": round(share, 3),
        "support": round(min((h.support for h in held), default=0), 4),
    }
    if against := next((h for h in held if h.against > HALF), None):
        shown = {"sentence": against.sentence[:200], "contradiction": round(against.against, 4)}
        return Verdict(False, "contradicted", {**seen, **shown})
    if share < least:
        worst = min(held, key=lambda h: h.support, default=None)
        return Verdict(
            False, "unsupported", {**seen, "sentence": worst.sentence[:200] if worst else ""}
        )
    return Verdict(True, evidence=seen)


def _held(sentence: str, found: list[Entailment]) -> Held:
    support = max((f.entailment for f in found), default=0.0)
    against = max((f.contradiction for f in found), default=0.0)
    return Held(sentence, support, 0.0 if support > HALF else against)
