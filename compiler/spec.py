"""Invariants of a graph, as a table; checked after every rewrite rule under tests."""

from __future__ import annotations

from collections.abc import Callable

from .graph import Edge, Graph
from .types import Columns

Invariant = Callable[[Graph], str | None]


def edges_end_somewhere(graph: Graph) -> str | None:
    """Every edge names a node of the graph."""
    for node in graph:
        for edge in node.inputs:
            if edge.node not in graph.nodes:
                return f"`{node.name}` reads `{edge}`, which is not in the graph"
    for edge in graph.outputs:
        if edge.node not in graph.nodes:
            return f"the output reads `{edge}`, which is not in the graph"
    return None


def order_is_topological(graph: Graph) -> str | None:
    """A node comes after what it reads."""
    seen: set[str] = set()
    for node in graph:
        for edge in node.inputs:
            if edge.node not in seen:
                return f"`{node.name}` comes before `{edge.node}`, which it reads"
        seen.add(node.name)
    return None


def reads_are_there(graph: Graph) -> str | None:
    """What a node reads reaches it, or the node makes it first."""
    for node in graph:
        if node.stage == "scan" or node.traits.reads is None:
            continue
        there = {c for e in node.inputs for c in _columns(graph, e)} | node.traits.writes
        lacking = node.traits.reads - there
        if lacking:
            return f"`{node.name}` reads {sorted(lacking)}, which nothing above it makes"
    return None


def _columns(graph: Graph, edge: Edge) -> Columns:
    node = graph.nodes.get(edge.node)
    return node.rows(edge.port).columns if node else {}


def sources_read_nothing(graph: Graph) -> str | None:
    """Scans start the graph, and nothing else does."""
    for node in graph:
        if (node.stage == "scan") == bool(node.inputs):
            return f"`{node.name}` is a {node.stage} with {len(node.inputs)} inputs"
    return None


def everything_is_needed(graph: Graph) -> str | None:
    """Each node is read or leaves the graph."""
    if not graph.outputs:
        return None
    for node in graph:
        if not graph.readers(node.name) and not graph.leaves(node.name):
            return f"nothing reads `{node.name}`"
    return None


SPEC: tuple[Invariant, ...] = (
    edges_end_somewhere,
    order_is_topological,
    reads_are_there,
    sources_read_nothing,
    everything_is_needed,
)


def violations(graph: Graph) -> tuple[str, ...]:
    """What is wrong with a graph; empty if nothing is."""
    return tuple(found for holds in SPEC if (found := holds(graph)) is not None)
