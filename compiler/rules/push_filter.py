"""Free filters run before model calls, so that calls are made only for rows that are kept."""

from __future__ import annotations

from dataclasses import replace

from ..graph import Edge, Graph, Node, in_topological_order


def push_filter(graph: Graph) -> tuple[Graph, str] | None:
    """Swap a free filter with the model step right before it, where the results stay the same.

    Example:
        `pages → book (rewrite) → english (keep: lang == 'en')` becomes
        `pages → english → book`.

    A row that the filter drops and that the model step would have rejected too is then counted at the
    filter; both reasons are true of it, and the filter's costs nothing.
    """
    for node in graph:
        below = _model_step_below(graph, node)
        if below is not None:
            return _swap(graph, below, node), (
                f"moved `{node.name}` before `{below.name}`: its calls are made only for rows that "
                f"`{node.name}` keeps"
            )
    return None


def _model_step_below(graph: Graph, node: Node) -> Node | None:
    """The model step that a filter may be swapped with, or None where that is not shown to be legal."""
    if node.op != "filter" or node.traits.cost != "free" or not node.traits.row_local:
        return None
    if len(node.inputs) != 1 or node.inputs[0].port:
        return None
    below = graph.nodes[node.inputs[0].node]
    reads = node.traits.reads
    legal = (
        below.traits.cost == "model"
        and below.traits.row_local  # a `limit:` counts rows: fewer in would admit others
        and reads is not None
        and below.traits.reads is not None
        and not reads & below.traits.writes
        and not node.traits.writes & (below.traits.reads | below.traits.writes)
        # `_id` is new on each derived row; a draw by `_id` would differ below.
        and "_id" not in reads
        and not graph.leaves(below.name)
        and graph.readers(below.name) == (node,)
        and not any(graph.readers(node.name, port) for port in ("rejected", "routed", "errors"))
        and not (below.origin != node.origin)
    )
    return below if legal else None


def _swap(graph: Graph, below: Node, node: Node) -> Graph:
    upstream = [graph.nodes[e.node] for e in below.inputs]
    columns = {c: k for u in upstream for c, k in u.columns.items()}
    columns |= {c: k for c, k in node.columns.items() if c in node.traits.writes}
    moved = replace(
        node,
        inputs=below.inputs,
        columns=columns,
        modelled=frozenset(c for c in node.modelled if c in columns)
        - (below.traits.writes - frozenset().union(*(u.modelled for u in upstream))),
        origin=upstream[0].origin if len({u.origin for u in upstream}) == 1 else "mixed",
    )
    lifted = replace(
        below,
        inputs=(Edge(node.name),),
        columns=node.columns,
        modelled=node.modelled,
    )
    nodes = {**graph.nodes, node.name: moved, below.name: lifted}
    for other in graph:
        if other.name not in (node.name, below.name):
            inputs = tuple(
                Edge(below.name, e.port) if e.node == node.name else e for e in other.inputs
            )
            nodes[other.name] = replace(other, inputs=inputs)
    outputs = tuple(Edge(below.name, e.port) if e.node == node.name else e for e in graph.outputs)
    return replace(graph, nodes=in_topological_order(nodes.values()), outputs=outputs)
