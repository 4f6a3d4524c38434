"""Keys that had another name, or have one everywhere else: read under the new one, with a word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from .diagnostics import Diagnostic, Edit
from .nodes import List, Map, Node, Path

SAMPLING = {"max_new_tokens": "max_tokens", "temp": "temperature"}
RENAMED: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("", {"licence": "license", "parameters": "params"}),
    ("sources.*", {"licence": "license"}),
    ("sampling", SAMPLING),
)
"""Where, and old to new. A place is a path with `*` for names, or the last word of one."""


def with_new_names(document: Map) -> tuple[Map, tuple[Diagnostic, ...]]:
    """The document with new names for old ones, and what to tell of each."""
    found: list[Diagnostic] = []
    renamed = _node(document, (), found)
    assert isinstance(renamed, Map)
    return (renamed, tuple(found)) if found else (document, ())


def _node(node: Node, path: Path, found: list[Diagnostic]) -> Node:
    if isinstance(node, List):
        items = [_node(item, (*path, i), found) for i, item in enumerate(node.items)]
        return replace(node, items=tuple(items))
    if not isinstance(node, Map) or path[:1] in (("params",), ("profiles",)):
        return node
    names = dict(_names(path))
    entries = []
    for key, value in node.entries:
        new = names.get(str(key.value))
        if new and new not in node:
            found.append(
                Diagnostic(
                    "S009",
                    f"'{key.value}' is called '{new}' here",
                    key.span,
                    help=f"write `{new}`",
                    fix=(Edit(key.span, new),),
                )
            )
            key = replace(key, value=new)
        entries.append((key, _node(value, (*path, str(key.value)), found)))
    return Map(tuple(entries), node.span)


def _names(path: Path) -> Iterator[tuple[str, str]]:
    words = [str(p) for p in path]
    for place, names in RENAMED:
        parts = place.split(".") if place else []
        exact = len(parts) == len(words) and all(
            p in ("*", w) for p, w in zip(parts, words, strict=True)
        )
        inside = len(parts) == 1 and len(words) > 1 and words[-1] == place
        if exact or inside:
            yield from names.items()
