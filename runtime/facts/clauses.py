"""Clauses of the source that a rewrite leaves out."""

from __future__ import annotations

import re

from .synonyms import root
from .text import Text
from .words import FUNCTION, WORD, fold

_CUT = re.compile(
    r"[,;:—–()\[\]]\s|\s[-—–]\s|"
    r"\s(?=(?:which|who|whom|while|because|although|though|unless|whereas|but|if|when|where)\b)",
    re.IGNORECASE,
)
MIN_WORDS = 3
"""A clause has at least so many content words; less belongs to its neighbour."""


def dropped(got: Text, source: Text) -> tuple[list[str], float]:
    """The clauses of the source of which the rewrite has less than half the content words.

    Returns:
        Those clauses, and the share of all clauses that are kept (1.0 where there is none).
    """
    found = [clause for s in source.sentences for clause in _clauses(s.raw)]
    gone = [raw for raw, words in found if 2 * len(words & got.content) < len(words)]
    return gone, 1 - len(gone) / len(found) if found else 1.0


def _clauses(sentence: str) -> list[tuple[str, frozenset[str]]]:
    whole: list[tuple[str, frozenset[str]]] = []
    for piece in _CUT.split(sentence):
        words = _content(piece)
        if whole and (len(words) < MIN_WORDS or len(whole[-1][1]) < MIN_WORDS):
            raw, before = whole.pop()
            whole.append((f"{raw} {piece}".strip(), before | words))
        else:
            whole.append((piece.strip(), words))
    return [(raw, words) for raw, words in whole if words]


def _content(piece: str) -> frozenset[str]:
    folded = (part for word in WORD.findall(piece) for part in fold(word))
    return frozenset(root(w) for w in folded if w not in FUNCTION and not w.isdigit())
