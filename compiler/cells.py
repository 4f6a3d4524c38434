"""Text in terminal columns: how wide it is, where to break it, and nothing that steers."""

from __future__ import annotations

import unicodedata

_TAB = 4


def cell(char: str) -> str:
    """What stands for a character of the source, so that no text can steer the terminal."""
    if char == "\t":
        return " " * _TAB
    if char == "\ufeff":
        return ""
    return char if _harmless(char) else "\ufffd"


def _harmless(char: str) -> bool:
    """Whether a character is only drawn: no control, no change of direction, no odd blank."""
    return char.isprintable() or char == "\u3000"


def display_width(text: str) -> int:
    """Terminal columns of a text: two for a wide character, none for a combining one.

    >>> display_width("ab日本")
    6
    """
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.category(c) in ("Mn", "Me", "Cf") or "\u1160" <= c <= "\u11ff"
        else 2
        if unicodedata.east_asian_width(c) in "WF"
        else 1
        for c in text
    )


def wrapped(text: str, room: int) -> list[str]:
    """Lines of at most so many columns, broken at blanks; a longer word is a line of its own.

    >>> wrapped("one two three", 8)
    ['one two', 'three']
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        indent = paragraph[: len(paragraph) - len(paragraph.lstrip(" "))]
        line = ""
        for word in paragraph[len(indent) :].split(" "):
            if line and display_width(f"{indent}{line} {word}") > room:
                lines.append(indent + line.rstrip(" "))
                line = word
            else:
                line = f"{line} {word}" if line else word
        lines.append(indent + line)
    return lines


def clean(text: str) -> str:
    """A message with nothing in it that could steer the terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in "\n " or _harmless(c) else "\ufffd" for c in text)
