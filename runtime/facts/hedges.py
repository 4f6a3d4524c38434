"""Claims made wider or surer than the source makes them: `the coworkers` for `most coworkers`."""

from __future__ import annotations

from .support import Aligned
from .synonyms import root


def _stems(words: str) -> frozenset[str]:
    return frozenset(map(root, words.split()))


_PART = _stems("most many some several few majority almost nearly mostly")
_CHANCE = _stems(
    "may might could possibly perhaps probably likely maybe seem seems appear suggest believe "
    "think potential apparently reportedly allegedly can would should"
)
_HABIT = _stems("often usually sometimes generally typically occasionally frequently rarely tend")
_WHOLE = _stems("all every always never none everyone everything entirely only")
_ALL = _PART | _CHANCE | _HABIT
_SURE = _ALL - _stems("can would should")
"""`can` is often a turn of phrase: that it is lost says nothing."""

_REACH = 3
STRANGE = 0.5
"""A sentence of which more than this is new has no place whose hedge it could have lost."""


def hedge(aligned: Aligned) -> str:
    """A `most`, `may` or `often` that is gone while what it limits stays; else nothing."""
    ours = set(aligned.sentence.stems)
    if _ALL & ours or aligned.novelty > STRANGE:
        return ""
    for sentence in aligned.place:
        for i, word in enumerate(sentence.stems):
            if word in _SURE:
                near = [w for w in sentence.stems[i + 1 : i + 1 + _REACH] if w in sentence.content]
                if near and near[0] in ours:
                    return f"{word} {near[0]}"
    return ""


def overstated(aligned: Aligned) -> str:
    """An `all`, `only` or `always` that the source has not there; else nothing."""
    if _WHOLE & aligned.context:
        return ""
    return next((word for word in aligned.sentence.stems if word in _WHOLE), "")
