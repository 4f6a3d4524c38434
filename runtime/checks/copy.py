"""The copy check."""

from __future__ import annotations

from collections.abc import Sequence

from ...compiler.registry import Case, Column, Count, Share, check
from ..verdict import Check, Row, Verdict

_TEXT = Column("text")
_INPUT = Column("input.text")
_MOST = Share(0.6)
_RUN = Count(8)
_SOURCE = "The kettle holds two litres and boils them in four minutes on a hot plate"


@check(
    version=1,
    cases=(
        Case({"ngram": 4}, {"text": _SOURCE, "input.text": _SOURCE}, "copied"),
        Case(
            {"ngram": 4},
            {"text": "Two litres of water boil within four minutes.", "input.text": _SOURCE},
            True,
        ),
        Case({"max": 1.0}, {"text": _SOURCE, "input.text": _SOURCE}, True),
        Case({"max": 0.0}, {"text": "too short to judge", "input.text": _SOURCE}, True),
    ),
)
def copy(
    got: Column = _TEXT,
    source: Column = _INPUT,
    max: Share = _MOST,
    ngram: Count = _RUN,
) -> Check:
    """Keep the text from copying its source word for word.

    Args:
        got: The text to judge.
        source: The text that it was made from.
        max: Largest share of its runs of `ngram` words that stand in the source; case and
            punctuation do not count. A text of fewer words is one run.
        ngram: The length of a run, in words; at least 1.
    """
    from ..facts.words import WORD

    if ngram < 1:
        raise ValueError("`ngram` is the length of a run in words: at least 1")

    def judge(row: Row) -> Verdict:
        words = WORD.findall(str(row[got] or ""))
        given = WORD.findall(str(row[source] or ""))
        size = min(ngram, len(words))
        runs = _runs(words, size) if size else []
        if not runs:
            return Verdict(True)
        known = set(_runs(given, size))
        copied = [run in known for run in runs]
        share = sum(copied) / len(runs)
        start, many = _longest(copied)
        span = " ".join(words[start : start + many + size - 1]) if many else ""
        seen = {"share": round(share, 3), "words": many + size - 1 if many else 0}
        if share <= max:
            return Verdict(True, evidence=seen)
        return Verdict(False, "copied", {**seen, "longest": span[:200]})

    return judge


def _runs(words: Sequence[str], size: int) -> list[tuple[str, ...]]:
    folded = [word.casefold() for word in words]
    return list(zip(*(folded[i:] for i in range(size)), strict=False))


def _longest(flags: Sequence[bool]) -> tuple[int, int]:
    """Where the longest row of true flags starts, and its length."""
    best = (0, 0)
    start = 0
    for i, flag in enumerate([*flags, False]):
        if not flag:
            if i - start > best[1]:
                best = (start, i - start)
            start = i + 1
    return best
