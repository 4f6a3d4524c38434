"""Which characters of a file a scalar's value came from, and lines and columns of a place."""

from __future__ import annotations

import re
from bisect import bisect_right

_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|\r?\n[ \t]*|.)", re.S)
_SPACE = " \t\r\n"


def align(value: str, raw: str) -> list[int]:
    """For each character of a scalar's value, the index in its raw text that it came from.

    Exact for plain and quoted scalars; inside folds and indentation, blanks may be a few characters
    off while the words are exact.

    >>> align("it's", "'it''s'")
    [1, 2, 3, 5]
    >>> align("''", "''''''")
    [1, 3]
    """
    if raw == value:
        return list(range(len(value)))
    double = raw[:1] == '"'
    at = 1 if raw[:1] in ('"', "'") else raw.find("\n") + 1 if raw[:1] in ("|", ">") else 0
    places: list[int] = []
    for char in value:
        while at < len(raw) - 1:
            escape = _ESCAPE.match(raw, at) if double else None
            if escape and escape[0][1] not in "\r\n":
                places.append(at)
                at = escape.end()
                break
            if escape:
                at = escape.end()
            elif raw[at] == char or (char in " \n" and raw[at] in _SPACE):
                places.append(at)
                at += 2 if raw[0] == char == "'" else 1
                break
            else:
                at += 1
        else:
            places.append(max(0, min(at, len(raw) - 1)))
    return places


def past(raw: str, at: int) -> int:
    """Where the characters of a scalar's raw text end that stand for one of its value.

    >>> past("'it''s'", 3)
    5
    """
    if raw[:1] == '"' and (escape := _ESCAPE.match(raw, at)):
        return escape.end()
    return at + (2 if raw[:1] == "'" and raw.startswith("''", at) else 1)


class Lines:
    """Turns offsets of one text into lines and columns."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0, *(m.end() for m in re.finditer(r"\n", text))]

    def __len__(self) -> int:
        return len(self._starts)

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 0; an offset past the end is at the end."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self._starts, offset) - 1
        return line, offset - self._starts[line]

    def line(self, number: int) -> str:
        """The text of a line, from 0, without its line break."""
        return self.text[self._starts[number] : self.end(number)]

    def start(self, number: int) -> int:
        """Offset of the first character of a line."""
        return self._starts[number]

    def end(self, number: int) -> int:
        """Offset past the last character of a line, without its line break."""
        last = number + 1 == len(self._starts)
        stop = len(self.text) if last else self._starts[number + 1] - 1
        if stop > self._starts[number] and self.text[stop - 1] == "\r":
            stop -= 1
        return stop
