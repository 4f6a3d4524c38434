"""A graph while rules rewrite it: a firing costs what it touches, not the whole graph."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from ..graph import Edge, Graph, Node, in_topological_order
from ..tuning import Tuning


class Draft:
    """Nodes by name, and who reads them, kept up to date through every change.

    Attributes:
        nodes: By name, in no order.
        outputs: The edges that leave.
        aliases: As in `Graph`.
        mixed: As in `Graph`.
        wanted: As in `Graph`.
    """

    def __init__(self, graph: Graph) -> None:
        self._origin = graph
        self._order: tuple[str, ...] | None = None
        self.nodes = dict(graph.nodes)
        self.outputs = graph.outputs
        self.aliases = dict(graph.aliases)
        self.mixed = graph.mixed
        self.wanted = graph.wanted
        # By name: a reader is looked up where it is asked for. Dicts serve as ordered sets.
        self._readers: dict[str, dict[str, None]] = {}
        self._leaving: dict[str, set[str]] = {}
        for node in graph:
            self._link(node)
        self._leave(graph.outputs)

    def in_order(self) -> Iterator[Node]:
        """The nodes of this moment, each after what it reads, as they are when their turn comes."""
        if self._order is None:
            self._order = tuple(in_topological_order(self.nodes.values()))
        return (self.nodes[name] for name in self._order if name in self.nodes)

    def backwards(self) -> Iterator[Node]:
        """The same, each before what it reads."""
        names = [node.name for node in self.in_order()]
        return (self.nodes[name] for name in reversed(names) if name in self.nodes)

    def readers(self, name: str, port: str | None = None) -> Iterator[Node]:
        """Nodes that read a node (one of its ports, if named), each once."""
        for reader in self._readers.get(name, ()):
            node = self.nodes[reader]
            if port is None or any(e.node == name and e.port == port for e in node.inputs):
                yield node

    def leaves(self, name: str, port: str | None = None) -> bool:
        """Whether rows of the node (of one of its ports, if named) leave the graph."""
        ports = self._leaving.get(name, ())
        return bool(ports) if port is None else port in ports

    def only_reader(self, name: str) -> Node | None:
        """The node that alone reads a node, and of it what goes on; None if rows go elsewhere."""
        alone = len(self._readers.get(name, ())) == 1 and not self.leaves(name)
        node = next(self.readers(name)) if alone else None
        return node if node and all(e.port == "" for e in node.inputs if e.node == name) else None

    def next_step(self, name: str) -> Node | None:
        """The node that alone reads what goes on from a node; its asides may go anywhere."""
        found = tuple(islice(self.readers(name, ""), 2))  # a source may have thousands
        return found[0] if len(found) == 1 and not self.leaves(name, "") else None

    def put(self, *nodes: Node) -> None:
        """Let nodes take the place of those of the same names."""
        for node in nodes:
            before = self.nodes[node.name]
            if before.inputs != node.inputs:
                for edge in before.inputs:
                    self._readers[edge.node].pop(node.name, None)
                self._link(node)
                self._order = None
            self.nodes[node.name] = node

    def tune(self, name: str, tuning: Tuning) -> None:
        """Change how a node is run."""
        self.nodes[name] = replace(self.nodes[name], tuning=tuning)

    def redirect(self, old: str, new: str) -> None:
        """Let whatever reads a node read another one, port by port."""

        def turned(edge: Edge) -> Edge:
            return Edge(new, edge.port) if edge.node == old else edge

        readers = tuple(self.readers(old))
        self.put(*(replace(n, inputs=tuple(map(turned, n.inputs))) for n in readers))
        if self.leaves(old):
            self._leave(tuple(map(turned, self.outputs)))

    def drop(self, name: str, instead: str) -> None:
        """Take out a node whose rows another one makes too."""
        self.redirect(name, instead)
        for edge in self.nodes.pop(name).inputs:
            self._readers[edge.node].pop(name, None)
        self._order = None
        self.aliases = {a: instead if n == name else n for a, n in self.aliases.items()}
        self.aliases[name] = instead

    def graph(self) -> Graph:
        """The graph as it stands."""
        return replace(
            self._origin,
            nodes={node.name: node for node in self.in_order()},
            outputs=self.outputs,
            aliases=self.aliases,
        )

    def _link(self, node: Node) -> None:
        for edge in node.inputs:
            self._readers.setdefault(edge.node, {})[node.name] = None

    def _leave(self, outputs: tuple[Edge, ...]) -> None:
        self.outputs = outputs
        self._leaving = {}
        for edge in outputs:
            self._leaving.setdefault(edge.node, set()).add(edge.port)
