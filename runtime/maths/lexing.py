"""The tokens of a mathematical expression."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .algebra import TooLargeError, UnreadError

MAX_TOKENS = 400
MAX_DIGITS = 2_000

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>(?:\d{1,3}(?:,\d{3})+(?![\d])|\d+)(?:\.\d+)?|\.\d+)
    | (?P<command>\\(?:[A-Za-z]+|[{}|]))
    | (?P<name>[A-Za-z]+)
    | (?P<sign>\*\*|\|\||[-+*/^_!()\[\]{}|,;=%'])
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text, and where it stands."""

    kind: str
    text: str
    start: int
    end: int


def tokens_of(text: str) -> list[Token]:
    """The tokens of an expression.

    Raises:
        UnreadError: For a character that no expression has.
    """
    made: list[Token] = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise UnreadError(f"`{text[at : at + 10]}` is no mathematics")
        kind = match.lastgroup
        made.append(Token(kind, match[kind], match.start(kind), match.end()))
        if len(made) > MAX_TOKENS or match.end() - match.start(kind) > MAX_DIGITS:
            raise TooLargeError("too long an expression")
        at = match.end()
    return made
