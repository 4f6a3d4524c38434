"""Repetition that the source does not have: whole sentences, or words within one."""

from __future__ import annotations

from collections import Counter

from .support import Aligned
from .text import Text

MIN_WORDS = 4
"""Shorter sentences ("Yes.", table cells) may come back."""


def looped(got: Text, source: Text) -> str:
    """The first sentence that comes back more often than the source has it; else nothing."""
    allowed = Counter(s.stems for s in source.sentences)
    seen: Counter[tuple[str, ...]] = Counter()
    for sentence in got.sentences:
        if len(sentence.stems) < MIN_WORDS:
            continue
        seen[sentence.stems] += 1
        if seen[sentence.stems] > max(1, allowed[sentence.stems]):
            return sentence.raw
    return ""


def repeated(aligned: Aligned) -> tuple[float, list[str]]:
    """What one sentence says again that its place in the source says less often.

    A small model fills a sentence with words that it has just used: "mobile gaming has made mobile
    gaming essential".

    Returns:
        The share of its content words that are repeats, and those words.
    """
    content = aligned.sentence.content
    counts = Counter(w for w in aligned.sentence.stems if w in content)
    given = Counter(w for s in aligned.place for w in s.stems)
    extra = {w: n - max(1, given[w]) for w, n in counts.items() if n > max(1, given[w])}
    return (sum(extra.values()) / counts.total() if extra else 0.0), list(extra)
