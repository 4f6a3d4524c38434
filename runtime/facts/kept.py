"""What became of the numbers and the names of the source: kept, lost, invented."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from math import floor, isclose, log10

from .names import Name, acronym
from .number_words import value_of
from .numbers import Number
from .synonyms import root
from .text import Text
from .words import fold

KEPT = 0.5
"""A name is kept when this share of its words is: `Crossland` for `Dave Crossland`."""

_DEMONYMS = ("n", "an", "ian", "ese", "ish")
"""`American` is borne out by `America`."""


class Numbers:
    """The numbers of a text, to bear out those of another."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._found: dict[str, list[Number]] = defaultdict(list)
        for number in text.numbers:
            for key in number.keys:
                self._found[key].append(number)

    def bear_out(self, number: Number) -> bool:
        """Whether one of them has the value and the unit, or the same measure in another unit."""
        same = [given for key in number.keys for given in self._found.get(key, ())]
        if any(self._fits(number, given) for given in same):
            return True
        if number.unit and any(_converted(number, given) for given in self._text.numbers):
            return True
        return number.about and any(_rounded(number, given) for given in self._text.numbers)

    def has(self, number: Number) -> bool:
        """Whether one of them has the value, whatever it counts."""
        return any(key in self._found for key in number.keys)

    def _fits(self, number: Number, given: Number) -> bool:
        if number.unit is None:
            return True
        if given.unit is None:
            return number.unit.dimension in self._text.units
        return number.unit.fits(given.unit) and number.unit.factor == given.unit.factor


def numbers_invented(got: Text, source: Text) -> list[Number]:
    """The firm numbers of a rewrite that no number of the source bears out, each once."""
    given = Numbers(source)
    return list({n.keys: n for n in got.numbers if n.firm and not given.bear_out(n)}.values())


def numbers_lost(got: Text, source: Text) -> tuple[list[str], float]:
    """The firm numbers of the source that a rewrite has not, and the share that it has.

    Each counts once; the share is 1.0 where the source has none.
    """
    have = Numbers(got)
    firm = {n.keys: n for n in source.numbers if n.firm}
    gone = [n.raw for n in firm.values() if not (have.has(n) or _said_otherwise(n, got))]
    return gone, 1 - len(gone) / len(firm) if firm else 1.0


def names_invented(got: Text, source: Text) -> list[str]:
    """The names of a rewrite that have a word which the source has not, each once."""
    index = Names(source)
    return list({_key(n): " ".join(n) for n in got.names if index.share(n) < 1}.values())


def names_lost(got: Text, source: Text) -> tuple[list[str], float]:
    """The names of the source that a rewrite has not, in any case or as initials, and its share.

    Each counts once; the share is 1.0 where the source has none.
    """
    index = Names(got)
    given = {_key(name): name for name in source.names}
    gone = [" ".join(name) for name in given.values() if index.share(name) < KEPT]
    return gone, 1 - len(gone) / len(given) if given else 1.0


class Names:
    """What a text has to bear out a name with."""

    def __init__(self, text: Text) -> None:
        sentences = text.sentences
        self.stems = {one for s in sentences for one in s.stems}
        self.joined = {a + b for s in sentences for a, b in pairwise(s.stems)}
        self.initials = " ".join(_initials(s.words) for s in sentences)
        self.capitals = " ".join(_initials(w for w in s.words if w[0].isupper()) for s in sentences)
        self.acronyms = {acronym(word) for name in text.names for word in name} - {""}
        self.values = {key for number in text.numbers for key in number.keys}

    def share(self, name: Name) -> float:
        """The share of a name's words that the text has."""
        known = [self.has(word) for word in name]
        if not all(known):
            for start, end in self._spelt_out(name):
                known[start:end] = [True] * (end - start)
        return sum(known) / len(name)

    def has(self, word: str) -> bool:
        """Whether the text has a word, spells out its initials, or has its halves apart."""
        if all(root(part) in self.stems for part in fold(word)):
            return True
        letters = acronym(word)
        if letters and (letters in self.acronyms or letters in self.capitals):
            return True
        if len(letters) > 2 and letters in self.initials:
            return True
        low = word.casefold()
        return root(low) in self.joined or self._of_a_place(low) or value_of(word) in self.values

    def _of_a_place(self, word: str) -> bool:
        """Whether the text names the place that a word is derived from, or the other way."""
        for ending in _DEMONYMS:
            base = word.removesuffix(ending)
            if len(base) > 3 and base != word and root(base) in self.stems:
                return True
            if len(word) > 3 and root(word + ending) in self.stems:
                return True
        return False

    def _spelt_out(self, name: Name) -> Iterable[tuple[int, int]]:
        """The stretches of a name whose initials are an acronym of the text."""
        for size in range(2, min(len(name), 6) + 1):
            for i in range(len(name) - size + 1):
                if _initials(name[i : i + size]) in self.acronyms:
                    yield i, i + size


def _converted(number: Number, given: Number) -> bool:
    """Whether two measures are equal in their base unit: `5 km` and `5,000 metres`."""
    ours, theirs = number.unit, given.unit
    if not ours or not theirs or ours.dimension != theirs.dimension:
        return False
    return any(
        isclose(a * ours.factor, b * theirs.factor, rel_tol=1e-6)
        for a in number.values
        for b in given.values
    )


def _rounded(number: Number, given: Number) -> bool:
    """Whether an estimate is the other number at fewer digits: `about 90` for `93`."""
    if number.unit and given.unit and not number.unit.fits(given.unit):
        return False
    return any(_at(b, _digits(a)) == a for a in number.values for b in given.values if a and b)


def _said_otherwise(number: Number, text: Text) -> bool:
    """Whether a text gives a number in another unit, or as an estimate."""
    return any(
        _converted(number, other) or (other.about and _rounded(other, number))
        for other in text.numbers
        if other.firm
    )


def _digits(value: float) -> int:
    return len(f"{value:.12g}".replace(".", "").strip("0")) or 1


def _at(value: float, digits: int) -> float:
    return round(value, digits - 1 - floor(log10(abs(value))))


def _initials(words: Iterable[str]) -> str:
    return "".join(word[0] for word in words).casefold()


def _key(name: Name) -> Name:
    return tuple(root(part) for word in name for part in fold(word))
