"""The gate: one rule after another, cheap to dear, until the first that a rewrite breaks.

Steps 1 to 6 of the fact gate in `published-recipes.md` (section 10.2), and a lexical stand-in for
its steps 8 and 9, which need a model.
"""

from __future__ import annotations

from ..verdict import Verdict
from .pair import Pair
from .rules import LADDER
from .styles import STYLES, Limits, Style

__all__ = ["LADDER", "STYLES", "Limits", "Style", "judge"]

SHORT = 200
"""Evidence is cut to so many characters, and to `MOST` things of a kind."""
MOST = 8


def judge(got: str, source: str, limits: Limits) -> Verdict:
    """Whether a rewrite keeps to its source; if not, the first rule broken and what shows it.

    Evidence has a `score` (0 to 1) where the rewrite came as far as the last step, `content`.
    """
    pair = Pair(got, source, limits)
    if not pair.said.sentences:
        return Verdict(False, "empty")
    for step, rules in LADDER.items():
        for reason, rule in rules.items():
            if reason in limits.free:
                continue
            if evidence := rule(pair):
                score = {"score": round(pair.measures.score, 3)} if step == "content" else {}
                return Verdict(False, reason, {k: _short(v) for k, v in evidence.items()} | score)
    return Verdict(True, evidence={"score": round(pair.measures.score, 3)})


def _short(value: str | float | list[str]) -> str | float | list[str]:
    if isinstance(value, list):
        return [_cut(item) for item in value[:MOST]]
    return _cut(value) if isinstance(value, str) else round(value, 3)


def _cut(text: str) -> str:
    return text if len(text) <= SHORT else text[: SHORT - 1] + "…"
