"""Where in a recipe a step's field is written."""

from __future__ import annotations

import re

from .diagnostics import Span
from .document import Map, Path, find

_INDEX = re.compile(r"\[(\d+)\]")


def place_of(document: Map, step: str, field: str) -> Span | None:
    """The place of a step's field, or of as much of its path as is written; None if nothing is.

    Args:
        document: The recipe, its layers applied.
        step: A step or a source.
        field: As `Change.field` names it.
    """
    section = next((s for s in ("steps", "sources") if find(document, (s, step))), None)
    if section is None:
        return None
    if field == "seed":
        node = find(document, ("seed",))
        return node.span if node else None
    path: Path = (section, step)
    for part in _parts(field):
        if find(document, (*path, part)) is None:
            break
        path = (*path, part)
    node = find(document, path)
    holder = find(document, path[:-1])
    key = holder.key(str(path[-1])) if isinstance(holder, Map) else None
    if key is not None and isinstance(node, Map):  # a map's name says more than where it begins
        return key.span
    return node.span if node else None


def _parts(field: str) -> Path:
    parts: list[str | int] = []
    for word in field.split("."):
        parts.append(_INDEX.sub("", word))
        parts += [int(i) for i in _INDEX.findall(word)]
    return tuple(parts)
