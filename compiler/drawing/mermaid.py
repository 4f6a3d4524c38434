"""A picture in Mermaid's flowchart language, for README files and pull requests."""

from __future__ import annotations

from .picture import Kind, Picture, Vertex

_SHAPES: dict[Kind, tuple[str, str]] = {
    "source": ("[(", ")]"),
    "step": ("[", "]"),
    "mix": ("{{", "}}"),
    "split": ("{{", "}}"),
    "out": ("([", "])"),
}


def draw_mermaid(picture: Picture) -> str:
    """The picture as a flowchart from left to right; no line break at the end."""
    keys = {vertex.key: f"n{number}" for number, vertex in enumerate(picture.vertices)}
    lines = ["flowchart LR"]
    for vertex in picture.vertices:
        opening, closing = _SHAPES[vertex.kind]
        label = "<br/>".join(escape(line) for line in label_of(vertex))
        lines.append(f'  {keys[vertex.key]}{opening}"{label}"{closing}')
    for arrow in picture.arrows:
        label = f'|"{escape(arrow.label)}"|' if arrow.label else ""
        lines.append(f"  {keys[arrow.start]} -->{label} {keys[arrow.end]}")
    return "\n".join(lines)


def label_of(vertex: Vertex) -> list[str]:
    """What stands on a vertex, line by line."""
    lines = [vertex.name + (f" ×{vertex.samples}" if vertex.samples > 1 else "")]
    if vertex.op and vertex.op != vertex.name:
        lines.append(vertex.op + (f" by {vertex.model}" if vertex.model else ""))
    elif vertex.model:
        lines.append(f"by {vertex.model}")
    if vertex.checks:
        lines.append(f"◆ {', '.join(vertex.checks)}")
    return lines


def escape(text: str) -> str:
    """Text inside the quotes of a label: entities for what Mermaid or HTML would read.

    >>> escape('say "hi" #1')
    'say #34;hi#34; #35;1'
    """
    return "".join(f"#{ord(char)};" if char in '#"&<>`\\\n\r' else char for char in text)
