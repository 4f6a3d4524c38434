"""Lines that are indented wrongly: of the lines where YAML stumbles, the one that has to move.

YAML complains of the line that no longer fits, which often is the one below the line that was
moved. The line to be named is the one that, moved to where its neighbour stands, lets the rest be
read.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import Any, NamedTuple

import yaml

from .diagnostics import Diagnostic, Label, Span

_LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)
_LINE = re.compile(r"^(?P<indent> *)(?P<body>[^\s#][^\n]*)$", re.MULTILINE)
_KEY = re.compile(r"(?:- +)?[^\s:#,\[\]{}'\"]+(?=:(?:\s|$))|- ")
_BARE = re.compile(r"[^\s:#]+:\s*(?:#.*)?$")
_LONGEST = 100_000
STEP = 2
"""Spaces of a level, as most recipes are written."""
MOST = 5
"""Levels that a line is tried at; each takes a parse."""
_FAR = 400
"""How many lines before the problem are looked at."""


class _Line(NamedTuple):
    start: int
    indent: int
    body: str


def misplaced_line(text: str, file: str, at: int, within: tuple[int, int]) -> Diagnostic | None:
    """A diagnostic for a line whose indentation alone is wrong; None if that is not the fault.

    Args:
        text: The whole file.
        file: Its name.
        at: Where YAML has stumbled.
        within: The stretch that was parsed.
    """
    start, end = within
    if end - start > _LONGEST:
        return None
    lines = [
        _Line(m.start(), len(m["indent"]), m["body"])
        for m in _LINE.finditer(text, max(start, at - 80 * _FAR), end)
    ]
    here = next((i for i, line in enumerate(lines) if _end(line) >= at), None)
    if not here:
        return None
    below, above = lines[here], lines[here - 1]
    tries = [(above, below)] if above.indent != below.indent else []
    tries += [(below, line) for line in _levels(lines[:here], below.indent)[:MOST]]
    before = lines[here - 2] if here > 1 else None
    after = lines[here + 1] if here + 1 < len(lines) else None
    if outer := _moved_out(lines[:here], below):
        tries.append((outer, below))
    found: list[tuple[int, bool, bool, int, int]] = []
    stumbled = _stumbles(text[start:end])
    usual = Counter(line.indent for line in lines)
    for number, (line, neighbour) in enumerate(tries):
        if not (_KEY.match(line.body) and _KEY.match(neighbour.body)):
            continue
        rest = text[line.start + line.indent : end]
        reached = _stumbles(text[start : line.start] + " " * neighbour.indent + rest)
        reached -= neighbour.indent - line.indent
        if reached > stumbled + len(below.body):
            fits = line.indent - _header(lines[:here], above, below) == STEP
            alone = _stands_out(line, neighbour, before, after if neighbour is below else None)
            found.append((-min(reached, end), not alone, fits, usual[line.indent], number))
    return _diagnostic(*tries[min(found)[-1]], file) if found else None


def _moved_out(lines: list[_Line], below: _Line) -> _Line | None:
    """The first line of a map that stands beside the key it belongs to, if one does so above."""
    for before, line in reversed(list(pairwise(lines))):
        if line.indent < below.indent:
            return line if _BARE.match(before.body) and before.indent == line.indent else None
    return None


def _stands_out(line: _Line, neighbour: _Line, before: _Line | None, after: _Line | None) -> bool:
    """Whether a line is what lies between two that stand alike, or behind a key left empty."""
    if before is None or line.start > neighbour.start:
        return False
    if _BARE.match(before.body) and before.indent >= line.indent:
        return True
    same = before.indent == neighbour.indent
    return same and (after is None or after.indent != line.indent or "{" not in line.body)


def _header(lines: list[_Line], *of: _Line) -> int:
    """The indentation of the line under which lines stand; below 0 for those of the top."""
    lowest = min(line.indent for line in of)
    return next((line.indent for line in reversed(lines) if line.indent < lowest), -STEP)


def _end(line: _Line) -> int:
    return line.start + line.indent + len(line.body)


def _levels(lines: list[_Line], indent: int) -> list[_Line]:
    """The last line of each level above a line, nearest first, but of its own."""
    found: dict[int, _Line] = {}
    lowest: int | None = None
    for line in reversed(lines):
        if lowest is None or line.indent <= lowest:
            found.setdefault(line.indent, line)
            lowest = line.indent
    found.pop(indent, None)
    return sorted(found.values(), key=lambda line: abs(line.indent - indent))


def _stumbles(text: str) -> int:
    """How far YAML can read."""
    try:
        for _ in yaml.parse(text, Loader=_LOADER):
            pass
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return mark.index if mark is not None else 0
    return len(text) * 2


def _diagnostic(line: _Line, neighbour: _Line, file: str) -> Diagnostic:
    key = _KEY.match(line.body)
    first = line.start + line.indent
    span = Span(file, first, first + (len(key[0].strip()) if key else 1))
    other = neighbour.start + neighbour.indent
    far = neighbour.indent - line.indent
    many = f"{abs(far)} space{'s' * (abs(far) != 1)}"
    return Diagnostic(
        "S001",
        "this line is indented too little" if far > 0 else "this line is indented too far",
        span,
        secondary=(Label(Span(file, other, other + 1), "as this line is"),),
        help=f"{'add' if far > 0 else 'take away'} {many} before it",
    )
