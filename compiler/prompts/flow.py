"""A block as it reads: the prompt's own text in order, and where values are put into it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jinja2 import nodes

from .template import Parsed


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a block.

    Attributes:
        text: What the author wrote; empty where a value stands.
        node: The value's expression, or the statement that decides whether `text` is there.
        parsed: The file it stands in.
        always: Whether it is there in every call.
    """

    text: str
    node: nodes.Node | None
    parsed: Parsed
    always: bool = True


def pieces(
    parsed: Parsed,
    body: Sequence[nodes.Node],
    included: Mapping[str, Parsed],
    *,
    always: bool = True,
    depth: int = 0,
) -> Iterator[Piece]:
    """The pieces of some statements, files that they include among them.

    Args:
        parsed: The file of the statements.
        body: The statements.
        included: Path to syntax tree.
        always: Whether they are rendered in every call.
        depth: Of includes; what a broken prompt nests further is left out.
    """
    for node in body:
        if isinstance(node, nodes.Output):
            for part in node.nodes:
                data = part.data if isinstance(part, nodes.TemplateData) else ""
                yield Piece(data, None if data else part, parsed, always)
        elif isinstance(node, nodes.If):
            yield Piece("", node.test, parsed, False)
            for inner in (node.body, node.elif_, node.else_):
                yield from pieces(parsed, inner, included, always=False, depth=depth)
        elif isinstance(node, nodes.For):
            yield Piece("", node.iter, parsed, False)
            yield from pieces(parsed, node.body, included, always=False, depth=depth)
        elif isinstance(node, nodes.Include) and depth < 16:
            name = node.template
            inner_file = included.get(name.value) if isinstance(name, nodes.Const) else None
            if inner_file is not None:
                body_ = inner_file.tree.body
                yield from pieces(inner_file, body_, included, always=always, depth=depth + 1)


def blocks(parsed: Parsed) -> dict[str, nodes.Block]:
    """The blocks of a prompt; of equal names the first."""
    found: dict[str, nodes.Block] = {}
    for node in parsed.tree.body:
        if isinstance(node, nodes.Block):
            found.setdefault(node.name, node)
    return found


def names_in(node: nodes.Node, inputs: Mapping[str, object]) -> frozenset[str]:
    """Inputs that an expression reads; a dotted one by its whole name."""
    found: set[str] = set()
    pending: list[nodes.Node] = [node]
    while pending:
        one = pending.pop()
        path = _path(one)
        if path and ".".join(path) in inputs:
            found.add(".".join(path))
        elif isinstance(one, nodes.Name) and one.name in inputs:
            found.add(one.name)
        else:
            pending.extend(one.iter_child_nodes())
    return frozenset(found)


def inserted(node: nodes.Node) -> str | None:
    """The name whose value an expression puts into the prompt as it is, filters of text aside."""
    while isinstance(node, nodes.Filter) and node.name in ("trim", "lower", "upper") and node.node:
        node = node.node
    path = _path(node)
    return ".".join(path) if path else None


def _path(node: nodes.Node) -> list[str]:
    parts: list[str] = []
    while isinstance(node, nodes.Getattr):
        parts.append(node.attr)
        node = node.node
    return [node.name, *reversed(parts)] if isinstance(node, nodes.Name) else []
