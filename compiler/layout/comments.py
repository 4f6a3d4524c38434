"""The comments of a file, and whether a blank line stands above a place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..nodes import List, Map, Node, Scalar
from .scalars import is_block

_COMMENT = re.compile(r"#[^\n]*")
_HEADER = re.compile(r"[|>][-+0-9]*")


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment, up to the end of its line.

    Attributes:
        text: With its `#`, without trailing blanks.
        start: Offset in the file.
        end: Offset past it.
        column: From 0.
        own: Whether nothing else stands on its line.
        blank: Whether a blank line stands right above it.
    """

    text: str
    start: int
    end: int
    column: int
    own: bool
    blank: bool


def find_comments(root: Node, text: str) -> list[Comment]:
    """All comments, in order."""
    found: list[Comment] = []
    at = 0
    for start, end in [*_closed(root), (len(text), len(text))]:
        for match in _COMMENT.finditer(text, at, max(at, start)):
            line = text.rfind("\n", 0, match.start()) + 1
            since = max(at, found[-1].end if found else 0)
            found.append(
                Comment(
                    match[0].rstrip(),
                    *match.span(),
                    column=match.start() - line,
                    own=not text[line : match.start()].strip(),
                    blank=blank_above(text, since, match.start()),
                )
            )
        at = max(at, end)
    return found


def blank_above(text: str, since: int, start: int) -> bool:
    """Whether a blank line stands right above what starts at an offset, after another one.

    The dashes of list items may stand between.
    """
    gap = text[since:start]
    return gap[len(gap.rstrip(" \t\n-")) :].count("\n") > 1


def _closed(node: Node) -> Iterator[tuple[int, int]]:
    """Stretches that hold no comment, in the order of the file: scalars, but for a block's head."""
    if isinstance(node, Scalar):
        start, end = node.span.start, node.span.end
        if is_block(node):
            head = _HEADER.match(node.raw)
            yield start, start + (head.end() if head else 0)
            start += max(0, node.raw.find("\n"))
        yield start, end
    elif isinstance(node, Map):
        for key, value in node.entries:
            yield key.span.start, key.span.end
            yield from _closed(value)
    elif isinstance(node, List):
        for item in node.items:
            yield from _closed(item)
