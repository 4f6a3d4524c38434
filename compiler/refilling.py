"""Which step lets source rows in for a `select` that stops when enough of them are accepted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .diagnostics import Diagnostic
from .graph import Edge, Node
from .scope import Binding


def feed_chains(nodes: dict[str, Node], outputs: Iterable[Edge], binding: Binding) -> None:
    """Let the first model step before each `select` with `rows` be fed; say where none can be.

    Fed is the lowest model step on the way down that has one input and whose rows go nowhere but to
    the `select`: what it is not given is missed by nobody else.
    """
    leaving = {e.node for e in outputs}
    for node in [n for n in nodes.values() if n.stage == "gather"]:
        params = node.definition["params"]
        rows, candidates = params.get("rows"), params.get("candidates")
        step = binding.step(node.name)
        if step is None or (rows is None and candidates is None):
            continue
        given = step.param("rows") or step.param("candidates")
        place = given.span if given else step.span
        if rows is None or candidates is None:
            lacking = "rows" if rows is None else "candidates"
            number = candidates // 4 or 1 if candidates else 4 * (rows or 0)
            help = f"write `{lacking}: {number}`"
            binding.add(Diagnostic("V423", f"`{node.name}` needs `{lacking}`", place, help=help))
            continue
        if rows > candidates:
            message = f"{rows} rows cannot be accepted of {candidates} candidates"
            help = f"write `candidates: {4 * rows}`"
            binding.add(Diagnostic("V423", message, place, help=help))
            continue
        fed = _lowest(node, nodes, leaving)
        if fed is None:
            message = f"nothing before `{node.name}` can be stopped when there are enough"
            help = "read a model step that nobody else reads, directly or through other steps"
            binding.add(Diagnostic("V423", message, place, help=help))
            continue
        nodes[fed.name] = replace(
            fed, tuning=replace(fed.tuning, fed=(node.name, rows, candidates))
        )


def _lowest(node: Node, nodes: dict[str, Node], leaving: set[str]) -> Node | None:
    found: Node | None = None
    while len(node.inputs) == 1 and not node.inputs[0].port:
        below = nodes.get(node.inputs[0].node)
        if below is None or below.stage in ("scan", "gather") or below.name in leaving:
            break
        readers = {n.name for n in nodes.values() if any(e.node == below.name for e in n.inputs)}
        if readers != {node.name} or len(below.inputs) != 1:
            break
        if below.stage == "generate":
            found = below
        node = below
    return found
