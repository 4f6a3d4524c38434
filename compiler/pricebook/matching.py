"""Which price a model is charged, by its name and address."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from .book import Book, Entry, Match

_DATE = re.compile(r"[-@]20\d\d-?[01]\d-?[0-3]\d$")
"""A day at the end of a name: `-2024-07-18`, `-20251001`, `@20251001`. Shorter ones (`-2512`) are
versions, and may cost something else."""
_HOST = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:@]+)", re.IGNORECASE)


def find_match(
    model: str, urls: Sequence[str], books: Sequence[Book], today: date | None = None
) -> Match | None:
    """The entry that prices a hosted model; None where nobody knows.

    A name is looked for as it stands, then without what precedes its last `/`, without a day at its
    end, and without both. An address of a vendor of the map means that vendor's prices and no
    others; elsewhere only names count that their vendor alone serves, since others serve open
    weights at prices of their own.

    Args:
        model: What follows `http/` in `use:`.
        urls: Its addresses. One that holds `${NAME}` is not known, and no vendor's.
        books: Strongest first.
        today: Leaves out what no longer holds by then.
    """
    hosts = {host for url in urls if (host := _host(url))}
    at_home = [book for book in books if any(_serves(book, host) for host in hosts)]
    for book in books:
        if book.hosts and book not in at_home and (at_home or not book.exclusive):
            continue
        for name in _forms(model):
            entry = book.entries.get(name)
            if entry is not None and _holds(entry, today):
                return Match(entry, book)
    return None


def _holds(entry: Entry, today: date | None) -> bool:
    return today is None or entry.until is None or today <= entry.until


def _forms(model: str) -> Iterator[str]:
    """What a book may call it, nearest first."""
    name = model.lower()
    last = name.rpartition("/")[2]
    yield from dict.fromkeys((name, last, _DATE.sub("", name), _DATE.sub("", last)))


def _serves(book: Book, host: str) -> bool:
    return any(host == own or host.endswith(f".{own}") for own in book.hosts)


def _host(url: str) -> str:
    """The host of an address; empty where it has none or depends on the environment."""
    found = _HOST.match(url)
    return found[1].lower() if found and "$" not in found[1] else ""
