"""Words in a form that survives inflection: folded, contractions opened, light stems."""

from __future__ import annotations

import re
from functools import lru_cache

# One character a word where a script writes no spaces (kana, Han, Thai to Khmer).
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
WORD = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])[^\W_])+(?:['’](?![{_UNSPACED}])[^\W_]+)*")

_IRREGULAR = {"can't": "can not", "cannot": "can not", "won't": "will not", "shan't": "shall not"}
_CLITICS = {"re": "are", "ve": "have", "ll": "will", "m": "am", "d": "would", "s": ""}

_FUNCTION = """
a about above accordingly across additionally after afterward afterwards again against all along
also although always am amid among amongst an and another any anyone anything are around as at be
because been before behind being below besides between both but by can consequently could did do
does doing done down during each either else enough especially even ever every everyone everything
few for from further furthermore get gets getting go goes going got had has have having he hence her
here hers him himself his how however i if in indeed instead into is it its itself just least less
like likely lot lots made make makes making many may me might mine more moreover most much must my
myself near need needs neither never nevertheless no none nonetheless nor not nothing now of off
often on once one ones only onto or other others otherwise our ours out over overall own per perhaps
put quite rather really same shall she should since so some someone something sometimes still such
take takes than that the their theirs them themselves then there thereby therefore these they thing
things this those though through thus to together too toward towards under until up upon us use used
uses using usually very via was way ways we well were what whatever when where whereas whether which
while whilst who whole whom whose why will with within without would yes yet you your yours yourself
"""
FUNCTION = frozenset(_FUNCTION.split())
"""English words that carry no content of their own; in other languages all words count."""


def fold(word: str) -> tuple[str, ...]:
    """The plain lower-case words behind one written word.

    >>> fold("Don’t"), fold("Houston's")
    (('do', 'not'), ('houston',))
    """
    low = word.casefold()
    if low.isalnum() and low != "cannot":
        return (low,)
    low = low.replace("’", "'")
    if low in _IRREGULAR:
        return tuple(_IRREGULAR[low].split())
    head, mark, tail = low.rpartition("'")
    if not mark:
        return (low,)
    if tail == "t" and head.endswith("n"):
        return (head[:-1], "not")
    if tail in _CLITICS:
        return (head, _CLITICS[tail]) if _CLITICS[tail] else (head,)
    return tuple(part for part in low.split("'") if part)


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """A light English stem: plural, past, -ing, -ly and a final -e or -y taken off.

    >>> {stem(w) for w in ("optimize", "optimizes", "optimized", "optimizing")}
    {'optimiz'}
    """
    if len(word) < 4 or word in FUNCTION or not word.isascii():
        return word
    whole = word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "shes", "ches", "xes", "zes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ingly", "edly", "ing", "ed", "ly"):
        rest = word[: -len(ending)]
        if word.endswith(ending) and len(rest) >= 3 and any(c in "aeiouy" for c in rest):
            word = rest[:-1] if rest[-1] == rest[-2] and rest[-1] not in "lsz" else rest
            break
    word = word[:-1] if len(word) > 3 and word[-1] in "ey" else word
    return whole if word in FUNCTION else word
