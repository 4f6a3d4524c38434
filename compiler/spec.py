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
        if node.stage == "generate":
            there.add("input.text")  # made for the step's own checks
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


def what_is_read_is_carried(graph: Graph) -> str | None:
    """Columns that a node reads, or that leave, have not been left behind."""
    for node in graph:
        for edge in node.inputs:
            if lost := _left_behind(graph, edge, node.traits.reads):
                return f"`{node.name}` reads {lost}, which `{edge}` does not carry"
    for edge in graph.outputs:
        if lost := _left_behind(graph, edge, graph.wanted):
            return f"the output has {lost}, which `{edge}` does not carry"
    return None


def _left_behind(graph: Graph, edge: Edge, reads: frozenset[str] | None) -> list[str]:
    """Of the columns that are read (None for any), those that an edge does not carry."""
    node = graph.nodes.get(edge.node)
    if node is None or node.tuning.keeps is None:
        return []
    left = {c for c in _columns(graph, edge) if not c.startswith("_")} - set(node.tuning.keeps)
    return sorted(left if reads is None else left & reads)


def fused_steps_follow_one_another(graph: Graph) -> str | None:
    """A step that shares a stage gets its rows from that stage alone, and nobody else does."""
    for node in graph:
        head = node.tuning.fused
        if not head or head == node.name:
            continue
        below = [graph.nodes.get(e.node) for e in node.inputs if not e.port]
        near = len(node.inputs) == 1 and below and below[0] and below[0].tuning.fused == head
        waits = node.definition.get("limit") is not None or node.tuning.first is not None
        if not near or waits or node.stage != "map":
            return f"`{node.name}` cannot share a stage with `{head}`"
        for edge in node.inputs:
            if len(graph.readers(edge.node, "")) > 1 or graph.leaves(edge.node, ""):
                return f"what `{node.name}` reads inside a stage is wanted outside"
    return None


def felt_limits_are_there(graph: Graph) -> str | None:
    """A limit that is felt early stands further on, where all of those rows arrive."""
    for node in graph:
        first, at = node.tuning.first, node
        while first is not None:
            readers = graph.readers(at.name)
            if len(readers) != 1 or graph.leaves(at.name):
                return f"`{node.name}` is given {first} rows, and no limit says so"
            at = readers[0]
            if at.definition.get("limit") == first:
                break
    return None


def what_is_cut_short_has_one_reader(graph: Graph) -> str | None:
    """A step that stops when another has enough is read by nobody who might want the rest."""
    for node in graph:
        if node.tuning.until is None and node.tuning.fed is None:
            continue
        readers = graph.readers(node.name)
        alone = len(readers) == 1 and not graph.leaves(node.name)
        if not alone or (node.tuning.until is not None and readers[0].stage != "gather"):
            return f"`{node.name}` stops early, and not all who read it say so"
    return None


SPEC: tuple[Invariant, ...] = (
    edges_end_somewhere,
    order_is_topological,
    reads_are_there,
    sources_read_nothing,
    everything_is_needed,
    what_is_read_is_carried,
    fused_steps_follow_one_another,
    felt_limits_are_there,
    what_is_cut_short_has_one_reader,
)


def violations(graph: Graph) -> tuple[str, ...]:
    """What is wrong with a graph; empty if nothing is."""
    return tuple(found for holds in SPEC if (found := holds(graph)) is not None)
