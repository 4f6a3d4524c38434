"""A recipe as it is laid out: entries with the comments and blank lines that belong to them."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TypeAlias

from ..nodes import List, Map, Node, Scalar
from .comments import Comment


@dataclass(slots=True)
class Entry:
    """A key with its value, or an item of a list.

    Attributes:
        key: None for an item.
        value: What stands there.
        before: Comments on lines of their own above it.
        blank: Whether a blank line stands right above it.
        line: The comment on its own line.
    """

    key: Scalar | None
    value: Scalar | Branch
    before: list[Comment] = field(default_factory=list)
    blank: bool = False
    line: Comment | None = None

    @property
    def start(self) -> int:
        """Offset of its first character, the dash of an item left out."""
        return self.key.span.start if self.key else start_of(self.value)

    @property
    def end(self) -> int:
        """Offset past its last character."""
        return self.value.end if isinstance(self.value, Branch) else self.value.span.end


@dataclass(slots=True)
class Branch:
    """A map or a list.

    Attributes:
        node: As it was parsed.
        flow: Whether it was written in brackets.
        column: Where its keys or dashes stand, from 0; only of a block.
        start: Offset of its first character.
        end: Offset past its last one.
        entries: In the order of the file.
        after: Comments below the last entry that belong to it.
    """

    node: Map | List
    flow: bool
    column: int
    start: int
    end: int
    entries: list[Entry] = field(default_factory=list)
    after: list[Comment] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)

    def entry_before(self, offset: int) -> int:
        """Index of the last entry that starts before an offset; -1 if none does."""
        return bisect_right(self.starts, offset) - 1


Value: TypeAlias = "Scalar | Branch"


def start_of(value: Value) -> int:
    """Offset of the first character of a value."""
    return value.start if isinstance(value, Branch) else value.span.start


def grow(node: Map | List, text: str) -> Branch:
    """The tree of a document, still without its comments."""
    start, end = node.span.start, node.span.end
    flow = text[start : start + 1] in ("{", "[")
    column = start - (text.rfind("\n", 0, start) + 1)
    branch = Branch(node, flow, column, start, end)
    if isinstance(node, Map):
        branch.entries = [Entry(key, _value(value, text)) for key, value in node.entries]
    else:
        branch.entries = [Entry(None, _value(item, text)) for item in node.items]
    branch.starts = [entry.start for entry in branch.entries]
    return branch


def _value(node: Node, text: str) -> Value:
    return node if isinstance(node, Scalar) else grow(node, text)
