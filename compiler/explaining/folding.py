"""Lines that are too long for the terminal, folded at blanks and measured in its columns."""

from __future__ import annotations

from collections.abc import Iterable

from ..cells import clean, display_width

HANG = "  "


def fold(line: str, width: int) -> list[str]:
    """A line as it is, or in several: the later ones hang, longer words are broken."""
    line = clean(line)
    if display_width(line) <= width:
        return [line.rstrip()]
    indent = line[: len(line) - len(line.lstrip(" "))][: max(0, width // 2 - 2)]
    lines: list[str] = []
    made = indent
    for word in line.strip(" ").split(" "):
        begun = made.strip(" ") != ""
        if begun and display_width(f"{made} {word}") > width:
            lines.append(made.rstrip())
            made, begun = indent + HANG, False
        made += f" {word}" if begun else word
        while display_width(made) > width:
            whole = _most(made, width)
            lines.append(whole)
            made = indent + HANG + made[len(whole) :]
    return [*lines, made.rstrip()]


def flow(parts: Iterable[str], width: int, indent: str = "   ") -> list[str]:
    """Short pieces beside each other, as many in a line as there is room for."""
    lines: list[str] = []
    for part in parts:
        if lines and display_width(f"{lines[-1]}   {part}") <= width:
            lines[-1] += f"   {part}"
        else:
            lines.append(f"{indent}{part}")
    return [folded for line in lines for folded in fold(line, width)]


def _most(text: str, width: int) -> str:
    """As much of a text as there is room for; one character at least beyond the indent."""
    end = len(text)
    least = len(text) - len(text.lstrip(" ")) + 1
    while end > least and display_width(text[:end]) > width:
        end -= 1
    return text[:end]
