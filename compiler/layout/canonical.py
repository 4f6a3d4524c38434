"""The canonical form of a recipe's text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..diagnostics import Diagnostic
from ..document import parse_document
from ..nodes import Map, Node, plain
from ..registry import Catalog
from .attach import Layout
from .comments import Comment, find_comments
from .order import Order
from .tree import grow
from .write import write


class LayoutError(Exception):
    """The text would say something else; a defect of the formatter."""


@dataclass(frozen=True, slots=True)
class Formatted:
    """A text in canonical form; with diagnostics it is as it was."""

    text: str
    diagnostics: tuple[Diagnostic, ...] = ()


def format_recipe(text: str, catalog: Catalog, file: str = "recipe.yaml") -> Formatted:
    """A recipe with its keys in the order of the schema, one way of quoting, two blanks a level.

    Comments, blank lines between entries (one at most), the order of names that the user chose and
    the kind of line ends stay. Formatting again changes nothing; what the recipe says is the same.

    Args:
        text: The recipe.
        catalog: Its operators know the order of their parameters.
        file: The name that diagnostics carry.

    Returns:
        The text; as it was, and with diagnostics, if it is not the YAML of a recipe.

    Raises:
        LayoutError: The result would say something else than the text.
    """
    document, problems = parse_document(text, file)
    if problems or not isinstance(document, Map) or not document.entries:
        return Formatted(text, problems)
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    root, _ = parse_document(lines, file)
    if not isinstance(root, Map):
        raise LayoutError(f"{file} cannot be formatted without changing what it says")
    comments = find_comments(root, lines)
    layout = Layout(lines, grow(root, lines))
    layout.attach(comments)
    Order(catalog).arrange(layout.root)
    made = write(layout)
    if "\r\n" in text:
        made = made.replace("\n", "\r\n")
    again, new = parse_document(made, file)
    if new or again is None or not _same(document, again) or _lost(comments, again, made):
        raise LayoutError(f"{file} cannot be formatted without changing what it says")
    return Formatted(made)


def _same(one: Node, other: Node) -> bool:
    """Whether two documents say the same, types included."""
    return bool(_typed(plain(one)) == _typed(plain(other)))


def _typed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _typed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_typed(inner) for inner in value]
    return type(value), value


def _lost(before: list[Comment], root: Node, text: str) -> bool:
    """Whether a comment is gone, or stands there twice."""
    return sorted(c.text for c in before) != sorted(c.text for c in find_comments(root, text))
