"""Identical model calls run once."""

from __future__ import annotations

from dataclasses import replace

from ..graph import Edge, Graph, Node, in_topological_order


def share_calls(graph: Graph) -> tuple[Graph, str] | None:
    """Merge two model steps that do the same to the same rows: one runs, both are read.

    Row identity comes from what a step does and not from its name, so the merged rows are those that
    either step would have made.
    """
    first: dict[tuple[str, tuple[str, ...]], Node] = {}
    for node in graph:
        if node.traits.cost != "model" or node.traits.reads is None:
            continue
        key = (node.rule, tuple(sorted(str(e) for e in node.inputs)))
        kept = first.setdefault(key, node)
        # Two equal parts of one mix keep their own name there, so the mix must not hold both.
        if kept is not node and not (graph.leaves(kept.name) and graph.leaves(node.name)):
            return _merge(graph, kept, node), (
                f"`{node.name}` asks exactly what `{kept.name}` asks: the calls run once"
            )
    return None


def _merge(graph: Graph, kept: Node, gone: Node) -> Graph:
    def turned(edge: Edge) -> Edge:
        return Edge(kept.name, edge.port) if edge.node == gone.name else edge

    nodes = [
        replace(n, inputs=tuple(turned(e) for e in n.inputs)) for n in graph if n is not gone
    ]
    return Graph(
        in_topological_order(nodes),
        tuple(turned(e) for e in graph.outputs),
        {**graph.aliases, gone.name: kept.name},
    )
