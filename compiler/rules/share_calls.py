"""Identical model calls run once."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from ..graph import Edge, Graph, Node, in_topological_order


def share_calls(graph: Graph) -> tuple[Graph, str] | None:
    """Merge two model steps that do the same to the same rows: one runs, both are read.

    Row identity comes from what a step does and not from its name, so the merged rows are those
    that either step would have made.
    """
    first: dict[Hashable, Node] = {}
    for node in graph:
        if node.traits.cost != "model" or node.traits.reads is None:
            continue
        kept, gone = first.setdefault(_work(node), node), node
        if kept is gone:
            continue
        in_order = True
        if graph.mixed and graph.leaves(gone.name):
            # Parts of a mix keep their own names there, so the mix must not hold both.
            if graph.leaves(kept.name):
                continue
            kept, gone, in_order = gone, kept, False
        return _merge(graph, kept, gone, in_order), (
            f"`{gone.name}` asks exactly what `{kept.name}` asks: the calls run once"
        )
    return None


def _work(node: Node) -> Hashable:
    """What two steps must have in common to make the same rows."""
    unpinned = node.model if not node.definition.get("model", {}).get("digest") else ""
    limit = node.definition.get("limit")
    return node.rule, unpinned, limit, tuple(sorted(str(e) for e in node.inputs))


def _merge(graph: Graph, kept: Node, gone: Node, in_order: bool) -> Graph:
    """Let `kept` stand for `gone`; what reads it comes after it already if that is `in_order`."""

    def turned(edge: Edge) -> Edge:
        return Edge(kept.name, edge.port) if edge.node == gone.name else edge

    nodes = {n.name: n for n in graph if n is not gone}
    for reader in graph.readers(gone.name):
        nodes[reader.name] = replace(reader, inputs=tuple(map(turned, reader.inputs)))
    aliases = {a: kept.name if n == gone.name else n for a, n in graph.aliases.items()}
    return replace(
        graph,
        nodes=nodes if in_order else in_topological_order(nodes.values()),
        outputs=tuple(map(turned, graph.outputs)),
        aliases={**aliases, gone.name: kept.name},
    )
