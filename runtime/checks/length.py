"""The length check."""

from __future__ import annotations

import re

from ...compiler.registry import Case, Column, Ratio, check
from ..verdict import Check, Row, Verdict

_TEXT = Column("text")
_INPUT = Column("input.text")
_LEAST = Ratio(0.3)
_MOST = Ratio(1.8)
_WORD = re.compile(r"\S+")


@check(
    version=1,
    cases=(
        Case({"min": 0.5, "max": 2.0}, {"text": "a b c", "input.text": "a b c"}, True),
        Case({"min": 0.5}, {"text": "a", "input.text": "a b c"}, "too_short"),
        Case({"max": 1.5}, {"text": "a b c", "input.text": "a"}, "too_long"),
        Case({}, {"text": "", "input.text": "a"}, "too_short"),
        Case({}, {"text": "", "input.text": ""}, True),
    ),
)
def length(
    got: Column = _TEXT,
    source: Column = _INPUT,
    min: Ratio = _LEAST,
    max: Ratio = _MOST,
) -> Check:
    """Hold the number of words to a range around that of the source.

    Args:
        got: The text to judge.
        source: The text that it was made from.
        min: Least ratio of its words to the source's; words are what white space divides.
        max: Largest ratio. An empty source allows only an empty text.
    """

    def judge(row: Row) -> Verdict:
        ours, theirs = _count(row[got]), _count(row[source])
        ratio = ours / theirs if theirs else float(ours > 0) * ours + 1.0
        seen = {"ratio": round(ratio, 3), "words": ours, "source_words": theirs}
        if ratio < min:
            return Verdict(False, "too_short", seen)
        return Verdict(False, "too_long", seen) if ratio > max else Verdict(True, evidence=seen)

    return judge


def _count(text: object) -> int:
    return sum(1 for _ in _WORD.finditer(str(text or "")))
