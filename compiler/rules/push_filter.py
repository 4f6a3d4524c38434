"""Free filters run before model calls, so that calls are made only for rows that are kept."""

from __future__ import annotations

from dataclasses import replace

from ..graph import Edge, Graph, Node, joint_origin
from ..types import ANY


def push_filter(graph: Graph) -> tuple[Graph, str] | None:
    """Swap a free filter with the model step right before it, where nothing but the bill changes.

    Example:
        `pages → book (rewrite) → english (keep: lang == 'en')` becomes
        `pages → english → book`.

    Rows, their ids and the reasons of rejected documents stay the same; a step that makes several
    samples of a row has the row rejected once instead of each of its samples.
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
    """The model step that a filter may be swapped with, where that is shown to be legal."""
    if node.op != "filter" or node.traits.cost != "free" or not node.traits.row_local:
        return None
    if len(node.inputs) != 1 or node.inputs[0].port:
        return None
    below = graph.nodes[node.inputs[0].node]
    reads = node.traits.reads
    legal = (
        below.traits.cost == "model"
        and below.traits.row_local  # a `limit:` counts rows: fewer in would admit others
        and not below.traits.drops  # a row that both would drop would change its reason
        and reads is not None
        and below.traits.reads is not None
        and not reads & below.traits.writes  # its `_id` and `_origin` among them
        and not node.traits.writes & (below.traits.reads | below.traits.writes)
        and not graph.leaves(below.name)
        and graph.readers(below.name) == (node,)
        and not any(graph.readers(node.name, p) or graph.leaves(node.name, p) for p in ASIDES)
        and not (graph.mixed and graph.leaves(node.name))  # a part keeps its name
        and _same_above(graph, below, reads)
    )
    return below if legal else None


ASIDES = ("rejected", "routed", "errors")


def _same_above(graph: Graph, below: Node, reads: frozenset[str]) -> bool:
    """Whether what a filter reads is the same column in every input of the step below it.

    Rows of several inputs are brought to one form where they meet: a column that one of them lacks
    is null from there on, whole numbers become floats.
    """
    above = [graph.nodes[e.node].rows(e.port).columns for e in below.inputs]
    for name in reads:
        kinds = {columns.get(name) for columns in above}
        if len(kinds) > 1 or None in kinds or (len(above) > 1 and ANY in kinds):
            return False
    return True


def _swap(graph: Graph, below: Node, node: Node) -> Graph:
    above = [graph.nodes[e.node].rows(e.port) for e in below.inputs]
    columns = {c: k for rows in above for c, k in rows.columns.items()}
    columns |= {c: k for c, k in node.columns.items() if c in node.traits.writes}
    modelled = frozenset[str]().union(*(rows.modelled for rows in above))
    moved = replace(
        node,
        inputs=below.inputs,
        columns=columns,
        modelled=modelled | (node.modelled & node.traits.writes),
        origin=joint_origin(above),
    )
    lifted = replace(below, inputs=(Edge(node.name),), columns=node.columns, modelled=node.modelled)

    def turned(edge: Edge) -> Edge:
        return Edge(below.name, edge.port) if edge.node == node.name else edge

    # Each takes the other's place: what either reads comes before both, what reads them after.
    after = {
        other.name: replace(other, inputs=tuple(map(turned, other.inputs)))
        for other in graph.readers(node.name)
    }
    after |= {below.name: moved, node.name: lifted}
    fresh = (after.get(other.name, other) for other in graph)
    nodes = {other.name: other for other in fresh}
    return replace(graph, nodes=nodes, outputs=tuple(map(turned, graph.outputs)))
