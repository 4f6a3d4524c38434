"""Things that changed places: `A beat B` as `B beat A`, the number of one thing for another's."""

from __future__ import annotations

from collections.abc import Sequence

from .kept import Numbers
from .numbers import Number
from .support import Aligned
from .text import Sentence, Text, stems_of
from .words import FUNCTION

_PRONOUNS = frozenset(
    ("he", "she", "it", "they", "him", "her", "them", "his", "its", "their", "who", "which", "this",
     "that", "these")
)  # fmt: skip
_BOTH_WAYS = frozenset(("and", "or", "with", "versus", "vs", "between"))
"""Around these, two things may change places: `comfort and style`."""

NEAR = 3
"""So many words on either side are a word's surroundings."""
HOME, AWAY = 0.6, 0.5
"""Share of the surroundings that must agree with the other's place, and may with its own."""


def role(aligned: Aligned) -> str:
    """Who does what to whom turned round; else nothing."""
    return exchanged(aligned) or voice(aligned)


def exchanged(aligned: Aligned) -> str:
    """Two words that have changed places within a sentence; else nothing.

    Each stands among the words that surround the other in the source. Passive voice and free order
    bring other surroundings, so they pass; so do the members of a list.
    """
    ours = _tokens(aligned.sentence)
    for place in aligned.place:
        theirs = _tokens(place)
        where = {t: i for i, t in enumerate(theirs) if t not in FUNCTION and theirs.count(t) == 1}
        shared = [(i, where[t]) for i, t in enumerate(ours) if t in where and ours.count(t) == 1]
        for n, (i, a) in enumerate(shared):
            for j, b in shared[n + 1 :]:
                if (
                    a > b
                    and _crossed(ours, theirs, (i, j), (a, b))
                    and not _listed(theirs[b : a + 1])
                ):
                    return f"{ours[i]} for {ours[j]}"
    return ""


def voice(aligned: Aligned) -> str:
    """A verb made passive, or active, while those around it stay where they are; else nothing."""
    ours = aligned.sentence.stems
    for place in aligned.place:
        theirs = place.stems
        for verb in aligned.sentence.content & place.content:
            i, j = ours.index(verb), theirs.index(verb)
            if _suffered(ours, i) == _suffered(theirs, j):
                continue
            content = aligned.sentence.content & place.content - {verb}
            before = content & {*ours[:i]} & {*theirs[:j]}
            after = content & {*ours[i + 1 :]} & {*theirs[j + 1 :]}
            across = content & {*ours[:i]} & {*theirs[j + 1 :]}
            if before and after and not across:
                return f"{verb} by"
    return ""


def number_moved(aligned: Aligned, source: Text) -> str:
    """A number of another sentence in the place of one that is gone; else nothing."""
    place = Numbers(source.only(aligned.place))
    have = Numbers(source.only([aligned.sentence]))
    gone = [n for s in aligned.place for n in s.numbers if n.firm and not have.has(n)]
    for number in aligned.sentence.numbers:
        if number.firm and not place.has(number) and gone:
            instead = next((n for n in gone if _alike(n, number)), None)
            if instead:
                return f"{number.raw} for {instead.raw}"
    return ""


def name_moved(aligned: Aligned) -> str:
    """A name of another sentence in the place of one that is gone; else nothing.

    Not where the source has a pronoun there: the rewrite may say whom it means.
    """
    best = aligned.best
    theirs, ours = set(best.stems) if best else set(), set(aligned.sentence.stems)
    if not best or (_PRONOUNS & theirs) - ours:
        return ""
    gone = [n for n in best.names if not ours & set(stems_of(n))]
    for name in aligned.sentence.names:
        if gone and not theirs & set(stems_of(name)):
            return f"{' '.join(name)} for {' '.join(gone[0])}"
    return ""


def _suffered(stems: tuple[str, ...], at: int) -> bool:
    """Whether the verb has its agent behind it: `beaten by`."""
    return stems[at + 1 : at + 2] == ("by",)


def _alike(one: Number, other: Number) -> bool:
    """Whether two numbers may stand for each other: both money, both percent, the same unit."""
    if one.unit and other.unit and not one.unit.fits(other.unit):
        return False
    return one.kind == other.kind


def _tokens(sentence: Sentence) -> list[str]:
    """Its stems, each name as one token."""
    found: list[str] = []
    names = list(sentence.names)
    skip = 0
    for i, word in enumerate(sentence.words):
        if skip:
            skip -= 1
            continue
        name = next((n for n in names if sentence.words[i : i + len(n)] == n), None)
        if name and len(name) > 1:
            found.append(" ".join(stems_of(name)))
            skip = len(name) - 1
        else:
            found.extend(stems_of([word]))
    return found


def _listed(stretch: Sequence[str]) -> bool:
    """Whether two words are joined by no more than `and`, or stand in a list of single words."""
    between = [token for token in stretch[1:-1] if token not in _BOTH_WAYS]
    if stretch[0].isdigit() and not all(map(str.isdigit, between)):
        return False
    return not between or (len(between) < len(stretch) - 2 and not FUNCTION & {*between})


def _crossed(
    ours: Sequence[str], theirs: Sequence[str], here: tuple[int, int], there: tuple[int, int]
) -> bool:
    """Whether each of two words is at home where the other is."""
    apart = {ours[here[0]], ours[here[1]]}
    (i, j), (a, b) = (
        [_around(tokens, at, apart) for at in places]
        for tokens, places in ((ours, here), (theirs, there))
    )
    return _alike_around(i, b) >= HOME > AWAY >= _alike_around(i, a) and _alike_around(
        j, a
    ) >= HOME > AWAY >= _alike_around(j, b)


def _around(tokens: Sequence[str], at: int, apart: set[str]) -> tuple[set[str], set[str]]:
    """The words before and behind a position, the exchanged ones left out."""
    return {*tokens[max(0, at - NEAR) : at]} - apart, {*tokens[at + 1 : at + 1 + NEAR]} - apart


def _alike_around(one: tuple[set[str], set[str]], other: tuple[set[str], set[str]]) -> float:
    """Share of the words around one place that are around the other, side by side."""
    total = len(one[0]) + len(one[1])
    return (len(one[0] & other[0]) + len(one[1] & other[1])) / total if total else 0.0
