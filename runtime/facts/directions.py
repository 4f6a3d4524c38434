"""Directions turned round: `rose` for `fell`, `before` for `after`, `all` for `some`."""

from __future__ import annotations

import re

from .support import Aligned
from .synonyms import root

_OPPOSITES = """
increase rise rose risen grow grew grown gain improve climb expand double / decrease fall fell
fallen drop decline shrink shrank worsen reduce lose lost sink sank halve
more / less fewer
most / least fewest
higher / lower
high / low
above over exceed / below under
before prior / after following later
earlier / later
early / late
first / last second
begin began begun start open launch / end stop finish close conclude
include / exclude
accept approve / reject refuse deny
allow permit enable / forbid prohibit ban prevent
buy bought purchase / sell sold
win won / lose lost
import / export
send sent / receive
give gave given / take took taken
add / remove delete
enter arrive / leave left depart exit
support / oppose
succeed success successful / fail failure
strong stronger strength / weak weaker weakness
large larger largest big bigger biggest huge / small smaller smallest tiny little
long longer longest / short shorter shortest
fast faster fastest quick quicker / slow slower slowest
hot hotter warm warmer / cold colder cool cooler
old older oldest / young younger youngest new newer newest
good / bad
better / worse
best / worst
easy easier simple simpler / hard harder difficult complex complicated
cheap cheaper inexpensive affordable / expensive costly
rich wealthy / poor
safe safer / dangerous unsafe risky
positive / negative
true correct right / false incorrect wrong
major / minor
maximum / minimum
public / private
internal / external
indoor / outdoor
inside / outside
upper / lower
top / bottom
front ahead / back rear behind
north northern / south southern
east eastern / west western
left / right
day / night
morning / evening afternoon
male man boy father son brother husband / female woman girl mother daughter sister wife
male men / female women
light / heavy
light bright / dark
full / empty
wet / dry
alive / dead
always / never rarely seldom
often frequently / rarely seldom never
everyone everybody / nobody
all every each / none few
many / few
encourage / discourage
optional / mandatory required compulsory
temporary / permanent
rural / urban
common / rare uncommon
"""
"""Own list, each side of a line against the other: the antonym swaps that people made by hand for
SummEdits (arXiv 2305.14540), in the plain words of measure, order and place."""

_MONTHS = "january february march april june july august september october november december"
_DAYS = "monday tuesday wednesday thursday friday saturday sunday"
_SERIES = (
    "first second third fourth fifth sixth seventh eighth ninth tenth",
    _MONTHS,
    _DAYS,
    "hourly daily weekly monthly quarterly yearly",
    "spring summer autumn winter",
    "red blue green yellow white black brown purple pink grey",
)
"""Each word of a series excludes the others."""

_INVERSE = frozenset(
    root(word)
    for word in (
        *("before", "prior", "after", "following", "later", "above", "over", "below", "under"),
        *("more", "less", "buy", "sell", "win", "lose"),
    )
)
"""Where the two things compared change places as well, these say the same."""

_NEGATORS = frozenset(
    ("not", "no", "never", "without", "none", "nor", "neither", "nobody", "nothing")
)


def _table() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for line in re.sub(r"\n(?=[^/\n]*(?:\n|$))", " ", _OPPOSITES.strip()).splitlines():
        sides = [[root(word) for word in side.split()] for side in line.split("/")]
        for ours, theirs in (sides, sides[::-1]):
            for word in ours:
                found.setdefault(word, set()).update(theirs)
    for series in _SERIES:
        stems = [root(word) for word in series.split()]
        for word in stems:
            found.setdefault(word, set()).update(set(stems) - {word})
    return {word: frozenset(others - {word}) for word, others in found.items()}


OPPOSITES = _table()


def turned(aligned: Aligned) -> str:
    """The word that says the opposite of one that it replaces; else nothing.

    A turn counts only where the sentence has the word more often than its place, the opposite less
    often, and both deny as often: `not heavy` is light.
    """
    ours, theirs = aligned.sentence.stems, aligned.stems
    for word in dict.fromkeys(ours):
        against = OPPOSITES.get(word)
        if not against or ours.count(word) <= theirs.count(word):
            continue
        gone = [w for w in theirs if w in against and theirs.count(w) > ours.count(w)]
        if not gone or _denials(ours) != _denials(theirs):
            continue
        if word in _INVERSE and _exchanged(ours, theirs, word, gone[0]):
            continue
        return f"{word} for {gone[0]}"
    return ""


def _denials(stems: tuple[str, ...]) -> int:
    return sum(stem in _NEGATORS for stem in stems)


def _exchanged(ours: tuple[str, ...], theirs: tuple[str, ...], word: str, against: str) -> bool:
    """Whether what stood before the word now stands after it."""
    i, j = ours.index(word), theirs.index(against)
    kept = len({*ours[:i]} & {*theirs[:j]}) + len({*ours[i + 1 :]} & {*theirs[j + 1 :]})
    crossed = len({*ours[:i]} & {*theirs[j + 1 :]}) + len({*ours[i + 1 :]} & {*theirs[:j]})
    return crossed > kept
