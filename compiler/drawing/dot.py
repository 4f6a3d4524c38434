"""A picture in Graphviz' language DOT."""

from __future__ import annotations

from .mermaid import label_of
from .picture import Kind, Picture

_SHAPES: dict[Kind, str] = {
    "source": "cylinder",
    "step": "box",
    "mix": "hexagon",
    "split": "hexagon",
    "out": "oval",
}


def draw_dot(picture: Picture) -> str:
    """The picture as a directed graph from left to right; no line break at the end."""
    keys = {vertex.key: f"n{number}" for number, vertex in enumerate(picture.vertices)}
    lines = [f"digraph {quoted(picture.name)} {{", "  rankdir=LR;"]
    for vertex in picture.vertices:
        label = quoted("\n".join(label_of(vertex)))
        lines.append(f"  {keys[vertex.key]} [label={label}, shape={_SHAPES[vertex.kind]}];")
    for arrow in picture.arrows:
        label = f" [label={quoted(arrow.label)}]" if arrow.label else ""
        lines.append(f"  {keys[arrow.start]} -> {keys[arrow.end]}{label};")
    return "\n".join([*lines, "}"])


def quoted(text: str) -> str:
    r"""Text as a quoted name; DOT knows `\"`, and labels read `\\` and `\n`.

    >>> print(quoted('a "b"'))
    "a \"b\""
    """
    safe = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + safe.replace("\r", " ").replace("\n", "\\n") + '"'
