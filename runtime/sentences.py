"""Where sentences end: rules of our own, for prose of many scripts.

A full stop is an end unless what stands before it is an abbreviation, an initial or a number of a
list, or what follows goes on in lower case. Marks of scripts without spaces end a sentence at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_END = re.compile(
    # A run of marks is entered at its first one only, and never left half way: linear in the text.
    r"(?<![.!?…؟۔։።])(?P<mark>[.!?…؟۔։።]++)(?P<close>['\"’”»›\)\]\}]*+)(?=\s)"
    r"|(?P<full>[。！？｡︒।॥။]+['\"’”»›\)\]\}」』】）》]*)"
)
_NEXT = re.compile(r"\s*[\"'“‘«‹(\[{¿¡„*_]*(\w[\w’']*)?")
_BEFORE = re.compile(r"[\w.’'&-]+\Z")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TITLES = _words(
    "mr mrs ms mx dr prof st rev hon gen sen rep gov capt cpt col lt sgt maj cmdr adm pres supt "
    "fr mme mlle messrs vs viz cf ca approx e.g i.e eg ie al esp resp incl excl mt ft dept "
    "univ assn bros hr frau herr dipl ing bzw z.b d.h u.a str sra srta dra p.ej av bd mag"
)
"""Always followed by more."""

_BEFORE_NUMBER = _words(
    "no nos nr fig figs vol vols p pp ch chap sec sect eq eqs art arts ex tab ref refs para par "
    "app op lib bk pt v n jan feb mar apr jun jul aug sep sept oct nov dec ver approx est c b d"
)
"""Abbreviations only when a number follows."""

_MAY_END = _words(
    "inc ltd co corp jr sr llc plc etc u.s u.k u.n e.u u.s.a d.c a.m p.m ph.d m.d b.a m.a b.sc "
    "m.sc b.c a.d b.c.e c.e ave blvd rd est esq usw dgl ed eds trans dist"
)
"""Abbreviations that also stand at the end of a sentence: the next word decides."""

_STARTERS = _words(
    "a after all although an and another as at because before both but by despite during each even "
    "every few first for from he her here his how however i if in instead it its last later many "
    "meanwhile more moreover most my next no not now on once one only or other our over she since "
    "so some still such that the their then there therefore these they this those though through "
    "thus to today too two under unlike until we what when where whether which while who why with "
    "yet you your"
)
"""Words that, capitalised, begin a sentence more often than they follow an abbreviation."""


def sentence_ends(text: str, start: int, end: int) -> Iterator[int]:
    """Offsets behind the marks that end a sentence inside one line `text[start:end]`.

    The end of the line itself is not among them.
    """
    begin = start
    for found in _END.finditer(text, start, end):
        stop = found.end()
        if stop >= end or stop <= begin:
            continue
        if found["full"] or _ends(text, begin, found, end):
            yield stop
            begin = stop


def _ends(text: str, begin: int, found: re.Match[str], end: int) -> bool:
    following = _NEXT.match(text, found.end(), end)
    after = (following and following[1]) or ""
    if after[:1].islower():
        return False
    if found["mark"] != ".":
        return True
    before = _BEFORE.search(text, max(begin, found.start() - 40), found.start())
    if not before:
        return True
    word = before[0]
    small = word.lower().strip("'’-")
    opens = after.lower() in _STARTERS
    if before.start() == _first(text, begin, found.start()) and _is_list_mark(word):
        return False
    if small in _TITLES:
        return False
    if small in _BEFORE_NUMBER and after[:1].isdigit():
        return False
    if small in _MAY_END or _is_initial(word):
        # An initial before a closing quote or bracket is an answer ("plan B."), not a name.
        return opens or bool(found["close"]) or not after
    return True


def _first(text: str, start: int, end: int) -> int:
    while start < end and text[start].isspace():
        start += 1
    return start


def _is_list_mark(word: str) -> bool:
    return (word.isdigit() and len(word) <= 3) or (len(word) == 1 and word.isalpha())


def _is_initial(word: str) -> bool:
    """`J`, `J.R.R`, `U.S`, `Ph.D`: capitals between full stops."""
    parts = word.split(".")
    return all(1 <= len(p) <= 2 and p[0].isupper() for p in parts) and any(
        len(p) == 1 for p in parts
    )
