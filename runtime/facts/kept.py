"""What became of the numbers and the names of the source: kept, lost, invented."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from .names import Name, acronym
from .numbers import Number
from .text import Text
from .words import fold, stem

KEPT = 0.5
"""A name is kept when this share of its words is: `Crossland` for `Dave Crossland`."""


def numbers_invented(got: Text, source: Text) -> list[str]:
    """The firm numbers of a rewrite that no number of the source bears out, each once."""
    given = _keys(source.numbers)
    return list({n.keys: n.raw for n in got.numbers if n.firm and not n.keys & given}.values())


def numbers_lost(got: Text, source: Text) -> tuple[list[str], float]:
    """The firm numbers of the source that a rewrite has not, and the share that it has.

    Each counts once; the share is 1.0 where the source has none.
    """
    have = _keys(got.numbers)
    firm = {n.keys: n.raw for n in source.numbers if n.firm}
    gone = [raw for keys, raw in firm.items() if not keys & have]
    return gone, 1 - len(gone) / len(firm) if firm else 1.0


def names_invented(got: Text, source: Text) -> list[str]:
    """The names of a rewrite that have a word which the source has not, each once."""
    index = _Index(source)
    return list({_key(n): " ".join(n) for n in got.names if index.share(n) < 1}.values())


def names_lost(got: Text, source: Text) -> tuple[list[str], float]:
    """The names of the source that a rewrite has not, in any case or as initials, and its share.

    Each counts once; the share is 1.0 where the source has none.
    """
    index = _Index(got)
    given = {_key(name): name for name in source.names}
    gone = [" ".join(name) for name in given.values() if index.share(name) < KEPT]
    return gone, 1 - len(gone) / len(given) if given else 1.0


class _Index:
    """What a text has to bear out a name with."""

    def __init__(self, text: Text) -> None:
        sentences = text.sentences
        self.stems = {stem for s in sentences for stem in s.stems}
        self.joined = {a + b for s in sentences for a, b in pairwise(s.stems)}
        self.initials = " ".join(_initials(s.words) for s in sentences)
        self.capitals = " ".join(_initials(w for w in s.words if w[0].isupper()) for s in sentences)
        self.acronyms = {acronym(word) for name in text.names for word in name} - {""}

    def share(self, name: Name) -> float:
        """The share of a name's words that the text has."""
        known = [self.has(word) for word in name]
        if not all(known):
            for start, end in self._spelt_out(name):
                known[start:end] = [True] * (end - start)
        return sum(known) / len(name)

    def has(self, word: str) -> bool:
        """Whether the text has a word, spells out its initials, or has its halves apart."""
        if all(stem(part) in self.stems for part in fold(word)):
            return True
        letters = acronym(word)
        if letters and (letters in self.acronyms or letters in self.capitals):
            return True
        if len(letters) > 2 and letters in self.initials:
            return True
        return stem(word.casefold()) in self.joined

    def _spelt_out(self, name: Name) -> Iterable[tuple[int, int]]:
        """The stretches of a name whose initials are an acronym of the text."""
        for size in range(2, min(len(name), 6) + 1):
            for i in range(len(name) - size + 1):
                if _initials(name[i : i + size]) in self.acronyms:
                    yield i, i + size


def _keys(found: list[Number]) -> frozenset[str]:
    return frozenset().union(*(number.keys for number in found))


def _initials(words: Iterable[str]) -> str:
    return "".join(word[0] for word in words).casefold()


def _key(name: Name) -> Name:
    return tuple(stem(part) for word in name for part in fold(word))
