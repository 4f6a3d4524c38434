"""Names: capitalised runs, acronyms and codes, told from words that merely open a sentence."""

from __future__ import annotations

from collections.abc import Iterator

from .words import FUNCTION, WORD, fold

_OPENERS = frozenset('.!?:"“”‘([{•*|>–—-/#')
"""After these a capital says nothing."""

_JOINS = frozenset(("", "&", "-", "."))
"""What may stand between two words of one name: `AT&T`, `Coca-Cola`."""

TITLE_SHARE = 0.9
"""A line with this share of its content words capitalised is a heading: capitals say nothing."""

Name = tuple[str, ...]
"""The words of one name, as written."""


def find_names(sentence: str) -> Iterator[Name]:
    """The names of one sentence, in order.

    >>> list(find_names("Later Dave Crossland of Google joined the QC35 team."))
    [('Dave', 'Crossland'), ('Google',), ('QC35',)]
    """
    marks = list(WORD.finditer(sentence))
    heading = _heading([mark[0] for mark in marks])
    run: list[str] = []
    end = 0
    for mark in marks:
        word, before, end = mark[0], end, mark.end()
        if word.islower():
            named, gap = False, ""
        else:
            gap = sentence[before : mark.start()].strip()
            opens = not before or not _OPENERS.isdisjoint(gap)
            named = _distinct(word) or (_capital(word) and not opens and not heading)
        if run and (not named or gap not in _JOINS):
            yield tuple(run)
            run = []
        if named:
            run.append(word)
    if run:
        yield tuple(run)


def acronym(word: str) -> str:
    """The letters of an acronym, `OEM` or `APIs`, in small; nothing for other words."""
    core = word[:-1] if word.endswith("s") else word
    return core.casefold() if 2 <= len(core) <= 6 and core.isupper() else ""


def _heading(words: list[str]) -> bool:
    if len(words) < 4:
        return False
    content = [word for word in words if word.casefold() not in FUNCTION and word[0].isalpha()]
    capitals = sum(word[0].isupper() for word in content)
    return capitals >= TITLE_SHARE * len(content)


def _capital(word: str) -> bool:
    return word[0].isupper() and fold(word)[0] not in FUNCTION


def _distinct(word: str) -> bool:
    """Whether the writing alone says that it is a name: `iPhone`, `QC35`, `OWASP`."""
    if len(word) < 2 or word.islower() or word.istitle():
        return False
    if word.isalpha():
        return any(map(str.isupper, word[1:]))
    return word[0].isalpha() and any(map(str.isdigit, word)) and any(map(str.isupper, word))
