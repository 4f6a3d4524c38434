"""Turned statements: negation, obligation, cause or contrast that the source does not have.

Each looks at one sentence of the rewrite beside its place in the source, and gives the words that
show the turn, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from .support import Aligned
from .synonyms import root
from .text import Sentence


def _stems(words: str) -> frozenset[str]:
    return frozenset(map(root, words.split()))


_NEGATORS = _stems("not no never without none nor neither nobody nothing")
_NEGATIVE = _NEGATORS | _stems(
    "lack fail avoid prevent unable refuse zero free less only few hardly barely instead rather"
)
_REVERSERS = _stems("fail refuse lack unable hardly barely avoid")
_PREFIXES = (("un", 4), ("non", 4), ("in", 5), ("im", 5), ("ir", 5), ("il", 5), ("dis", 5))
_WHOLE = 0.6
"""Of a place's content words so many must be there to count its negators."""
_CLAUSE = 2
"""Of how many content words after a negator one must stay for the negation to be lost."""
_FAR, _BEHIND = 8, 4
"""A word of denial so many words before or after it may deny it as well."""
_REACH = 2
"""How far after its negator the negated word stands: `not the best`."""

_DUTY = _stems("must should shall ought necessary require required")
_DUTY_PAIRS = frozenset((word, "to") for word in ("need", "needs", "have", "has"))
_DUTIFUL = _stems("mandatory essential important recommend need needs needed")

_HE = _stems("he him his himself")
_SHE = _stems("she her hers herself")

_SPEAKER = _stems("i me my mine myself we us our ours ourselves")
_LISTENER = _stems("you your yours yourself yourselves")
_PERSONS = ((_HE, _SHE), (_SHE, _HE), (_SPEAKER, _LISTENER), (_LISTENER, _SPEAKER))

_CAUSE = _stems("because therefore thus hence")
_CAUSAL = _CAUSE | _stems("since due so as cause result reason lead why")
_CONTRAST = _stems("but although though however whereas yet despite unless")
_CONTRARY = _CONTRAST | _stems("while except instead rather still even only not")


def negation(aligned: Aligned) -> str:
    """A negation added, lost from a word that stays, or folded into a word: `unpredictable`."""
    ours, theirs = aligned.sentence, aligned.context
    if not _NEGATIVE & theirs and (added := _first(ours.stems, _NEGATORS | _REVERSERS)):
        return added
    place = aligned.stems
    for one, other in ((ours.stems, place), (place, ours.stems)):
        if word := _denied_alone(one, other, ours.content & aligned.words):
            return f"not {word}"
    whole = len(aligned.missing) < 2 and len(aligned.place) == 1 and _most_of(aligned)
    if whole and (odd := _uncounted(ours, aligned.place[0])):
        return odd
    ours_only = set(aligned.missing)
    theirs_only = theirs - set(ours.stems)
    return _prefixed(aligned.missing, theirs_only) or _prefixed(sorted(theirs_only), ours_only)


def _most_of(aligned: Aligned) -> bool:
    """Whether the sentence says most of what its place says: it is no half of a divided one."""
    return len(aligned.sentence.content & aligned.words) > _WHOLE * len(aligned.words)


def _uncounted(ours: Sentence, theirs: Sentence) -> str:
    """A negator more than the source sentence has words of denial, or one less."""
    before, after = ([s for s in each.stems if s in _NEGATORS] for each in (theirs, ours))
    others = (_NEGATIVE - _NEGATORS) & {*theirs.stems}
    if len(after) > len(before) and others <= {*ours.stems}:
        return after[0]
    if len(after) == len(before) or (_NEGATIVE - _NEGATORS) & {*ours.stems, *theirs.stems}:
        return ""
    lost = (i for i, word in enumerate(theirs.stems) if word in before and word not in after)
    return next((theirs.stems[i] for i in lost if _still_said(theirs, i, ours)), "")


def _still_said(theirs: Sentence, at: int, ours: Sentence) -> bool:
    """Whether what follows a negator is in the other sentence too: its clause is not left out."""
    near = [w for w in theirs.stems[at + 1 :] if w in theirs.content][:_CLAUSE]
    return not near or any(word in ours.content for word in near)


def obligation(aligned: Aligned) -> str:
    """A duty added: `should require` where the source says `require`."""
    duties = _duties(aligned.sentence)
    given = sum(len(_duties(s)) + len(_DUTIFUL & set(s.stems)) for s in aligned.place)
    return duties[0] if len(duties) > given else ""


def claim(aligned: Aligned) -> str:
    """A cause or a contrast added: what follows such a word is a claim of the rewrite's own."""
    for words, known in ((_CAUSE, _CAUSAL), (_CONTRAST, _CONTRARY)):
        if not known & aligned.context and (added := _first(aligned.sentence.stems, words)):
            return added
    return ""


def person(aligned: Aligned) -> str:
    """Somebody turned into somebody else: `her father` for `his father`, `your house` for `my`."""
    for ours, theirs in _PERSONS:
        if theirs & aligned.context and not ours & aligned.context:
            return _first(aligned.sentence.stems, ours)
    return ""


def _duties(sentence: Sentence) -> list[str]:
    pairs = (" ".join(pair) for pair in pairwise(sentence.stems) if pair in _DUTY_PAIRS)
    return [*(stem for stem in sentence.stems if stem in _DUTY), *pairs]


def _denied_alone(one: tuple[str, ...], other: tuple[str, ...], shared: frozenset[str]) -> str:
    """A shared word that stands close after a negator here, and far from any word of denial there.

    Words that stand more than once are left alone: it may be the other one that is meant.
    """
    for i, word in enumerate(one):
        if word not in _NEGATORS:
            continue
        near = next((w for w in one[i + 1 : i + 1 + _REACH] if w in shared), "")
        if not near or one.count(near) > 1 or other.count(near) > 1:
            continue
        at = other.index(near)
        if _NEGATIVE.isdisjoint(other[max(0, at - _FAR) : at + _BEHIND]):
            return near
    return ""


def _prefixed(words: Iterable[str], bare: set[str] | frozenset[str]) -> str:
    """The first word that is another's opposite by its prefix."""
    for word in words:
        for prefix, least in _PREFIXES:
            rest = word[len(prefix) :]
            if word.startswith(prefix) and len(rest) >= least and rest in bare:
                return word
    return ""


def _first(stems: Iterable[str], wanted: frozenset[str]) -> str:
    return next((stem for stem in stems if stem in wanted), "")
