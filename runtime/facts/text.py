"""A text read once for all rules: its sentences, their words, stems, names and numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .names import Name, find_names
from .number_words import SCALES, UNITS
from .numbers import Number, find_numbers
from .synonyms import root
from .units import units_in
from .words import FUNCTION, WORD, fold

_BREAK = re.compile(r"(?<=[.!?])[\"'”’)\]]*\s+(?=[^\sa-z\d])|(?<=[。！？])")

_EMPTY = FUNCTION | UNITS.keys() | SCALES.keys() | {"percent", "dollar", "euro", "pound"}
_SIGNS = re.compile(r"[$€£¥₹℃℉″]|°[CF]")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence or line.

    Attributes:
        raw: As written.
        words: As written, in order; punctuation left out.
        stems: Stems of its folded words, in order.
        content: Stems of its words but for function words, numerals, units and currencies.
        names: Its names, in order.
        numbers: Its numbers, in order.
    """

    raw: str
    words: tuple[str, ...]
    stems: tuple[str, ...]
    content: frozenset[str]
    names: tuple[Name, ...]
    numbers: tuple[Number, ...]

    def written(self, stems: Iterable[str]) -> list[str]:
        """Its words as written that have one of these stems, each once."""
        wanted = set(stems)
        found = (w for w in self.words if any(root(part) in wanted for part in fold(w)))
        return list(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Text:
    """A text and its sentences; those without a word are left out."""

    raw: str
    sentences: tuple[Sentence, ...]
    content: frozenset[str]
    """Stems of all content words."""

    @property
    def names(self) -> list[Name]:
        """Its names, in order, each as often as it occurs."""
        return [name for sentence in self.sentences for name in sentence.names]

    @property
    def numbers(self) -> list[Number]:
        """Its numbers, in order, each as often as it occurs."""
        return [number for sentence in self.sentences for number in sentence.numbers]

    @property
    def units(self) -> set[str]:
        """The dimensions that its words and signs measure in."""
        words = (word for sentence in self.sentences for word in sentence.words)
        return units_in([*words, *_SIGNS.findall(self.raw)])

    def only(self, sentences: Iterable[Sentence]) -> Text:
        """The same text with only these sentences."""
        return _text(self.raw, sentences)


def read(raw: str) -> Text:
    """Split a text into sentences and words."""
    pieces = (piece.strip() for line in raw.splitlines() for piece in _BREAK.split(line))
    return _text(raw, (_sentence(piece) for piece in pieces if WORD.search(piece)))


def stems_of(words: Iterable[str]) -> list[str]:
    """The stems of written words, contractions opened."""
    return [root(part) for word in words for part in fold(word)]


def _text(raw: str, sentences: Iterable[Sentence]) -> Text:
    kept = tuple(sentences)
    return Text(raw, kept, frozenset().union(*(s.content for s in kept)))


def _sentence(raw: str) -> Sentence:
    words = tuple(WORD.findall(raw))
    folded = [part for word in words for part in fold(word)]
    stems = tuple(map(root, folded))
    numbers = tuple(find_numbers(raw))
    measured = _EMPTY.union(*(stems_of(WORD.findall(n.raw)) for n in numbers if n.unit))
    content = zip(folded, stems, strict=True)
    return Sentence(
        raw=raw,
        words=words,
        stems=stems,
        content=frozenset(
            s for w, s in content if not (w in _EMPTY or s in measured or w.isdigit())
        ),
        names=tuple(find_names(raw)),
        numbers=numbers,
    )
