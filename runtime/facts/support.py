"""What bears out each sentence of a rewrite: its best place in the source."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from .text import Sentence, Text, stems_of

POSTINGS = 64
"""How many sentences a word can vote for: bounds the work for a word that a long text repeats."""

PLACES = 4
"""How many of the most voted sentences are looked at closely."""

RETOLD = 0.5
"""A sentence is retold when one place of the rewrite has this share of its content words."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """A sentence of the rewrite beside its best place in the source.

    Attributes:
        sentence: Of the rewrite.
        place: The sentence of the source, or two neighbours, that share most content words with it;
            empty where nothing is shared.
        missing: Its content words that this place lacks, in order.
    """

    sentence: Sentence
    place: tuple[Sentence, ...]
    missing: tuple[str, ...]

    @property
    def novelty(self) -> float:
        """Share of its content words that its place lacks."""
        return len(self.missing) / len(self.sentence.content) if self.missing else 0.0

    @property
    def stems(self) -> tuple[str, ...]:
        """The stems of its place, in order."""
        return tuple(stem for sentence in self.place for stem in sentence.stems)

    @property
    def words(self) -> frozenset[str]:
        """The content words of its place."""
        return frozenset().union(*(s.content for s in self.place))

    @property
    def best(self) -> Sentence | None:
        """The one sentence of its place that says most of it, names apart."""
        named = {stem for name in self.sentence.names for stem in stems_of(name)}
        words = self.sentence.content - named
        return max(self.place, key=lambda s: len(words & s.content), default=None)

    @property
    def context(self) -> frozenset[str]:
        """All stems of its place."""
        return frozenset(stem for sentence in self.place for stem in sentence.stems)


def align(got: Text, source: Text) -> list[Aligned]:
    """Each sentence of the rewrite that the source does not have word for word, in its place."""
    verbatim = {s.stems for s in source.sentences}
    index: dict[str, list[int]] = defaultdict(list)
    for i, sentence in enumerate(source.sentences):
        for word in sentence.content:
            if len(index[word]) < POSTINGS:
                index[word].append(i)
    fresh = {s.stems: s for s in got.sentences if s.stems not in verbatim}
    return [_place(sentence, source, index) for sentence in fresh.values()]


def coverage(got: Text, source: Text) -> float:
    """Share of the source's content words that the rewrite has (1.0 where it has none)."""
    words = source.content
    return len(words & got.content) / len(words) if words else 1.0


def retold(got: Text, source: Text) -> Text:
    """The source without the sentences that the rewrite leaves out, whole or for the most part.

    What the rewrite takes over word for word retells nothing but itself: of ten entries of a list
    that are much alike, those that are gone are left out.
    """
    verbatim = {s.stems for s in source.sentences}
    left_out = {
        one.sentence.stems
        for one in align(source, got)
        if one.novelty > 1 - RETOLD or all(s.stems in verbatim for s in one.place)
    }
    return source.only(s for s in source.sentences if s.content and s.stems not in left_out)


def disorder(aligned: Aligned, pairs: frozenset[tuple[str, str]]) -> float:
    """Share of a sentence's neighbouring word pairs that stand nowhere in the source.

    High where known words are put together anew: a subject swapped, a sentence garbled.
    """
    ours = list(pairwise(aligned.sentence.stems))
    strange = sum(pair not in pairs and not _numeral(pair) for pair in ours)
    return strange / len(ours) if ours else 0.0


def pairs(source: Text) -> frozenset[tuple[str, str]]:
    """All neighbouring word pairs of a text, within sentences."""
    return frozenset(pair for s in source.sentences for pair in pairwise(s.stems))


def _numeral(pair: tuple[str, str]) -> bool:
    """Whether one of two words is a numeral: numbers have many forms, and rules of their own."""
    return pair[0][0].isdigit() or pair[1][0].isdigit()


def _place(sentence: Sentence, source: Text, index: Mapping[str, list[int]]) -> Aligned:
    words = sentence.content
    votes = Counter(i for word in words if word in index for i in index[word])
    best: tuple[Sentence, ...] = ()
    score = 0
    for i, _ in heapq.nsmallest(PLACES, votes.items(), key=lambda vote: (-vote[1], vote[0])):
        for start, end in ((i, i + 1), (i - 1, i + 1), (i, i + 2)):
            place = source.sentences[max(start, 0) : end]
            shared = len(words & frozenset().union(*(s.content for s in place)))
            if shared > score:
                best, score = place, shared
    have = frozenset().union(*(s.content for s in best))
    missing = dict.fromkeys(w for w in sentence.stems if w in words and w not in have)
    return Aligned(sentence, best, tuple(missing))
