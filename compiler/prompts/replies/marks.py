r"""Where the marked parts of a reply stand: tags, fences, headings, `\boxed{…}`.

Each function is total and takes time linear in the text: one pass with a stack, no backtracking. Of
marks within marks of the same kind the outermost counts, and an opening that nothing closes is text
(a model that says "I put it in <answer> tags" has not begun an answer).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """A marked part: offsets of all of it and of what is inside, half open."""

    start: int
    end: int
    inner: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Fence(Mark):
    """A fenced block of code, its language in lower case, and how far it is indented."""

    language: str
    indent: int


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading's line, its level from 1 to 6, and its title as `title_of` makes it."""

    start: int
    end: int
    level: int
    title: str


def tags(text: str, name: str) -> list[Mark]:
    """Elements `<name>…</name>`, outermost, in order.

    >>> [m.inner for m in tags("<a> and <a>x</a>", "a")]
    [(11, 12)]
    """
    token = re.compile(rf"<(/?){re.escape(name)}[ \t]*>")
    opened: list[re.Match[str]] = []
    found: list[Mark] = []
    for match in token.finditer(text):
        if not match[1]:
            opened.append(match)
        elif opened:
            first = opened.pop()
            _outermost(found, Mark(first.start(), match.end(), (first.end(), match.start())))
    return found


_BRACES = re.compile(r"(?P<boxed>\\boxed[ \t]*\{)|\\.|(?P<open>\{)|(?P<close>\})", re.DOTALL)


def boxes(text: str) -> list[Mark]:
    r"""`\boxed{…}` with balanced braces, escaped ones not counted; outermost, in order.

    >>> [m.inner for m in boxes(r"\boxed{\frac{1}{2}}")]
    [(7, 18)]
    """
    opened: list[re.Match[str]] = []
    found: list[Mark] = []
    for match in _BRACES.finditer(text):
        if match["boxed"] or match["open"]:
            opened.append(match)
        elif match["close"] and opened:
            first = opened.pop()
            if first["boxed"]:
                _outermost(found, Mark(first.start(), match.end(), (first.end(), match.start())))
    return found


def _outermost(found: list[Mark], mark: Mark) -> None:
    while found and found[-1].start > mark.start:
        found.pop()
    found.append(mark)


_LINE = re.compile(r"[^\n]*(?:\n|\Z)")
_FENCE = re.compile(r"([ \t]*)(`{3,}|~{3,})[ \t]*([^\n]*)")
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(\S[^\n]*)")


def fences(text: str) -> list[Fence]:
    """Closed blocks of ``` or ~~~, as CommonMark has them but at any indentation, in order."""
    lines = [m.span() for m in _LINE.finditer(text) if m[0]]
    found: list[Fence] = []
    # A run that nothing closes once is closed by nothing later: no line is searched twice for it.
    unclosed: dict[str, int] = {}
    at = 0
    while at < len(lines):
        start, end = lines[at]
        opening = _FENCE.match(text, start, end)
        close = None
        if opening and not (opening[2][0] == "`" and "`" in opening[3]):
            run = opening[2]
            if len(run) < unclosed.get(run[0], len(run) + 1):
                close = next((i for i in range(at + 1, len(lines)) if _closes(text, lines[i], run)),
                             None)  # fmt: skip
                if close is None:
                    unclosed[run[0]] = len(run)
        if opening and close is not None:
            words = opening[3].split()
            language = words[0].lower().strip("{}.") if words else ""
            inner = (end, lines[close][0])
            end = lines[close][1] - text.endswith("\n", start, lines[close][1])
            found.append(Fence(start, end, inner, language, len(opening[1])))
            at = close
        at += 1
    return found


def _closes(text: str, line: tuple[int, int], run: str) -> bool:
    stripped = text[slice(*line)].strip(" \t\n")
    return len(stripped) >= len(run) and not stripped.strip(run[0])


def headings(text: str, code: Iterable[Fence]) -> list[Heading]:
    """Headings that begin with `#`, those inside code left out, in order."""
    inside = [(f.start, f.end) for f in code]
    found: list[Heading] = []
    k = 0
    for line in _LINE.finditer(text):
        while k < len(inside) and inside[k][1] <= line.start():
            k += 1
        if k < len(inside) and inside[k][0] <= line.start():
            continue
        if match := _HEADING.match(text, *line.span()):
            title = title_of(match[2].rstrip().rstrip("#"))
            found.append(Heading(line.start(), line.end(), len(match[1]), title))
    return found


_NUMBER = re.compile(r"\d{1,3}[.)][ \t]+")


def title_of(written: str) -> str:
    """A heading's title as it is compared: no case, number, emphasis or colon.

    >>> title_of(" 2. **The Plan:** ")
    'the plan'
    """
    bare = written.strip().strip("*_`").strip()
    bare = _NUMBER.sub("", bare, count=1) if _NUMBER.match(bare) else bare
    return " ".join(bare.strip(" \t*_`").rstrip(": \t*_`").casefold().split())
