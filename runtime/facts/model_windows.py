"""Sentences of a text, and stretches of it that a model can read at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from ..sentences import sentence_ends

_WORD = re.compile(r"\w")

WORDS = 400
"""Words of a stretch at most, whatever the model can read: MiniCheck's figure (2404.10774)."""

Count = Callable[[Sequence[str]], list[int]]
"""Tokens of texts."""


def sentences_of(text: str) -> tuple[str, ...]:
    """Its sentences and lines, in order; those without a word are left out."""
    found: list[str] = []
    at = 0
    for line in text.split("\n"):
        end = at + len(line)
        cuts = [at, *sentence_ends(text, at, end), end]
        pieces = (text[a:b].strip() for a, b in pairwise(cuts))
        found += [piece for piece in pieces if _WORD.search(piece)]
        at = end + 1
    return tuple(found)


def windows_of(text: str, room: int | None, count: Count) -> tuple[str, ...]:
    """Stretches of whole sentences that overlap by one; the text itself, where it fits.

    Args:
        text: What is to be read.
        room: Tokens that a stretch may have; None where nobody knows.
        count: Counts them.

    A sentence that is longer than a stretch may be is cut between words.
    """
    words = len(text.split())
    if words <= WORDS and (room is None or count([text])[0] <= room):
        return (text,) if text.strip() else ()
    pieces = [p for s in sentences_of(text) for p in _fitting(s, room, count)]
    sizes = count(pieces) if room is not None else [0] * len(pieces)
    lengths = [len(piece.split()) for piece in pieces]
    windows: list[str] = []
    start = 0
    while start < len(pieces):
        stop, tokens, said = start, 0, 0
        while stop < len(pieces):
            # The space between two sentences may be a token of its own.
            tokens, said = tokens + sizes[stop] + 1, said + lengths[stop]
            if stop > start and (said > WORDS or (room is not None and tokens > room)):
                break
            stop += 1
        windows.append(" ".join(pieces[start:stop]))
        if stop >= len(pieces):
            break
        start = max(start + 1, stop - 1)
    return tuple(windows)


def _fitting(sentence: str, room: int | None, count: Count) -> list[str]:
    if len(sentence.split()) <= WORDS and (room is None or count([sentence])[0] <= room):
        return [sentence]
    words = sentence.split()
    if len(words) < 2:
        return [sentence]
    half = len(words) // 2
    left, right = " ".join(words[:half]), " ".join(words[half:])
    return [*_fitting(left, room, count), *_fitting(right, room, count)]
