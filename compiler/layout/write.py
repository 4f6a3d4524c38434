"""A tree as text: two blanks a level, brackets where they fit on the line."""

from __future__ import annotations

from ..nodes import Map
from .attach import Layout
from .comments import Comment
from .scalars import is_block, lines, on_one_line
from .tree import Branch, Entry, Value

WIDTH = 100
"""Columns of a line in which brackets stay closed."""


def write(layout: Layout) -> str:
    """The text of a recipe."""
    made = [c.text if not c.blank or not i else f"\n{c.text}" for i, c in enumerate(layout.head)]
    if layout.gap:
        made.append("")
    return "\n".join([*made, *_block(layout.root, 0)]) + "\n"


def _block(branch: Branch, indent: int) -> list[str]:
    made: list[str] = []
    for entry in branch.entries:
        _above(made, entry.before, indent)
        _part(made, entry.blank)
        made += _pair(entry, indent) if entry.key else _item(entry, indent)
    _above(made, branch.after, indent)
    return made


def _above(made: list[str], comments: list[Comment], indent: int) -> None:
    for comment in comments:
        _part(made, comment.blank)
        made.append(" " * indent + comment.text)


def _part(made: list[str], blank: bool) -> None:
    """At most one blank line, and none at the start."""
    if blank and made and made[-1]:
        made.append("")


def _pair(entry: Entry, indent: int) -> list[str]:
    assert entry.key is not None
    name = " " * indent + (on_one_line(entry.key, key=True) or entry.key.raw) + ":"
    if isinstance(entry.value, Branch) and not _closed(entry.value, len(name) + 1):
        return [_noted(name, entry.line), *_block(entry.value, indent + 2)]
    return _said(entry, name, indent)


def _item(entry: Entry, indent: int) -> list[str]:
    dash = " " * indent + "-"
    if not isinstance(entry.value, Branch) or _closed(entry.value, len(dash) + 1):
        return _said(entry, dash, indent)
    inner = _block(entry.value, indent + 2)
    first = next(i for i, line in enumerate(inner) if line and line.lstrip(" ")[0] != "#")
    above = [" " * indent + line.lstrip(" ") if line else "" for line in inner[:first]]
    if entry.line:
        above.append(" " * indent + entry.line.text)
    return [*above, dash + inner[first][indent + 1 :], *inner[first + 1 :]]


def _said(entry: Entry, head: str, indent: int) -> list[str]:
    """A scalar, or brackets on one line, behind its key or dash."""
    if isinstance(entry.value, Branch):
        text = [_flow(entry.value) or ""]
    else:
        text = lines(entry.value, indent + 2)
    text[0] = f"{head} {text[0]}".rstrip(" ")
    at = 0 if not isinstance(entry.value, Branch) and is_block(entry.value) else len(text) - 1
    text[at] = _noted(text[at], entry.line)
    return text


def _noted(line: str, comment: Comment | None) -> str:
    """A line with its comment, in the column where it stood where the line leaves room."""
    if comment is None:
        return line
    least = len(line) + 2
    at = max(least, comment.column)
    if at + len(comment.text) > WIDTH >= least + len(comment.text):
        at = least
    return line.ljust(at) + comment.text


def _closed(branch: Branch, column: int) -> bool:
    """Whether a branch stays in brackets on the line."""
    if not branch.entries:
        return True
    text = _flow(branch) if branch.flow else None
    return text is not None and column + len(text) <= WIDTH


def _flow(branch: Branch) -> str | None:
    """A branch in brackets; None where a comment or a scalar of several lines stands in it."""
    if branch.after or not (branch.flow or not branch.entries):
        return None
    parts: list[str] = []
    for entry in branch.entries:
        value = _inline(entry.value)
        if value is None or entry.before or entry.line:
            return None
        parts.append(f"{on_one_line(entry.key, key=True)}: {value}" if entry.key else value)
    if isinstance(branch.node, Map):
        return "{ " + ", ".join(parts) + " }" if parts else "{}"
    return "[" + ", ".join(parts) + "]"


def _inline(value: Value) -> str | None:
    if isinstance(value, Branch):
        return _flow(value)
    text = on_one_line(value)
    return "null" if text == "" else text
