"""Pronouns whose antecedent is left out: `its roots`, once the sentence that names it is gone."""

from __future__ import annotations

from collections.abc import Sequence

from .support import Aligned
from .text import Text, stems_of

_PRONOUNS = frozenset(("it", "its", "they", "their", "them", "he", "she", "his", "her", "him"))


def adrift(got: Text, source: Text, aligned: Sequence[Aligned]) -> str:
    """The first sentence whose pronoun stood for a name that the rewrite has nowhere; else nothing.

    Only where something else goes before it, for the pronoun to fall on.
    """
    at = {s.stems: i for i, s in reversed(list(enumerate(source.sentences)))}
    places = {one.sentence.stems: one.best for one in aligned}
    said = {stem for s in got.sentences for stem in s.stems}
    for sentence in got.sentences[1:]:
        if sentence.names or _PRONOUNS.isdisjoint(sentence.stems):
            continue
        place = places.get(sentence.stems, sentence)
        i = at.get(place.stems, 0) if place else 0
        if not i or not place or _PRONOUNS.isdisjoint(place.stems) or place.names:
            continue
        named = source.sentences[i - 1].names
        if named and not any(said & set(stems_of(name)) for name in named):
            return sentence.raw
    return ""
