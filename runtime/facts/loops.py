"""Repetition that the source does not have: sentences, blocks of words, words within a sentence."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from .support import Aligned
from .text import Text

MIN_WORDS = 4
"""Shorter sentences ("Yes.", table cells) may come back."""

MIN_REPEAT = 6
"""So many words in a row must come back at once: `a product that is a product that is`."""


def looped(got: Text, source: Text) -> str:
    """The first sentence, or block of words, that comes back where the source has it once.

    Blocks that follow themselves are what SwallowMath (2505.02881) finds in long texts by a pattern
    with a back-reference; here one pass over the words does it, for short texts too.
    """
    allowed = Counter(s.stems for s in source.sentences)
    seen: Counter[tuple[str, ...]] = Counter()
    for sentence in got.sentences:
        if len(sentence.stems) < MIN_WORDS:
            continue
        seen[sentence.stems] += 1
        if seen[sentence.stems] > max(1, allowed[sentence.stems]):
            return sentence.raw
    block = _stutter([stem for s in got.sentences for stem in s.stems])
    if block and block not in " ".join(stem for s in source.sentences for stem in s.stems):
        return block
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


def _stutter(stems: list[str]) -> str:
    """The first block of words that follows itself, twice over; else nothing."""
    last: dict[tuple[str, str], int] = {}
    distance = run = 0
    for i, pair in enumerate(pairwise(stems)):
        apart = i - last.get(pair, i)
        run = run + 1 if apart and apart == distance else int(apart > 0)
        distance = apart
        last[pair] = i
        if apart and run >= max(apart, MIN_REPEAT):
            start = i + 2 - run - apart
            return " ".join(stems[start : i + 2])
    return ""
