"""The spanned document: scalars, maps and lists that know where they were written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .diagnostics import Span
from .places import align, past

TYPED = "--set"
"""How the names of the pseudo files begin that hold what the user typed after `--set`."""

Value: TypeAlias = "str | int | float | bool | None"
Path: TypeAlias = "tuple[str | int, ...]"


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value.

    Attributes:
        value: As the 1.2 core schema reads it; a key's value is always its text.
        span: With the quotes, if there are any.
        quoted: Whether it was written in quotes or as a block.
        raw: The characters of `span`.
        faulty: Whether a diagnostic has been given for it, so that later passes keep silent.
    """

    value: Value
    span: Span
    quoted: bool = False
    raw: str = ""
    faulty: bool = False

    def within(self, start: int, end: int) -> Span:
        """The place in the file of `value[start:end]`, through quotes, escapes and folding."""
        places = align(str(self.value), self.raw)
        if not places:
            return self.span
        base = self.span.start
        first = places[min(start, len(places) - 1)]
        last = places[min(max(end, start + 1), len(places)) - 1]
        stop = first if end <= start else past(self.raw, last)
        return Span(self.span.file, base + first, base + stop)


@dataclass(frozen=True, slots=True)
class Map:
    """Keys and values in the order of the file; no key comes twice."""

    entries: tuple[tuple[Scalar, Node], ...]
    span: Span
    _index: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        index = {str(key.value): i for i, (key, _) in enumerate(self.entries)}
        object.__setattr__(self, "_index", index)

    def __contains__(self, name: object) -> bool:
        return name in self._index

    def get(self, name: str) -> Node | None:
        """The value of a key; None if it is not there."""
        at = self._index.get(name)
        return None if at is None else self.entries[at][1]

    def key(self, name: str) -> Scalar | None:
        """The key itself, for its span."""
        at = self._index.get(name)
        return None if at is None else self.entries[at][0]

    @property
    def names(self) -> tuple[str, ...]:
        """The keys as text, in order."""
        return tuple(self._index)


@dataclass(frozen=True, slots=True)
class List:
    """Values in order."""

    items: tuple[Node, ...]
    span: Span


Node: TypeAlias = Scalar | Map | List


def plain(node: Node) -> Any:
    """The Python value of a node: dicts, lists and scalars."""
    if isinstance(node, Map):
        return {str(key.value): plain(value) for key, value in node.entries}
    if isinstance(node, List):
        return [plain(item) for item in node.items]
    return node.value


def walk(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Every node with its path, parents before children, in the order of the file."""
    yield path, node
    if isinstance(node, Map):
        for key, value in node.entries:
            yield from walk(value, (*path, str(key.value)))
    elif isinstance(node, List):
        for i, item in enumerate(node.items):
            yield from walk(item, (*path, i))


def find(node: Node, path: Path) -> Node | None:
    """The node at a path; None if there is none."""
    found: Node | None = node
    for step in path:
        if isinstance(found, Map) and isinstance(step, str):
            found = found.get(step)
        elif isinstance(found, List) and isinstance(step, int) and step < len(found.items):
            found = found.items[step]
        else:
            return None
    return found
