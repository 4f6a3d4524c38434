"""What is drawn of a graph: vertices with what stands on them, and arrows between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from ..graph import Edge, Graph, Node
from ..quantities import show_share
from ..recipe import Recipe

Kind = Literal["source", "step", "mix", "split", "out"]
MIX, SPLIT, OUT = ".mix", ".split", ".out"
"""Keys of what is no step; no step's name has a dot."""


@dataclass(frozen=True, slots=True)
class Vertex:
    """A source, a step, or one of the stations at the end.

    Attributes:
        key: Unique in its picture.
        name: What the recipe calls it.
        kind: What it is.
        op: The operator of a step.
        model: The model that a step calls.
        samples: Rows that a model step makes of one.
        checks: Names of the checks that hold its rows.
    """

    key: str
    name: str
    kind: Kind
    op: str = ""
    model: str | None = None
    samples: int = 1
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrow:
    """Rows that flow from a vertex to another.

    Attributes:
        start: Key of the vertex that they leave.
        end: Key of the one that reads them.
        port: The port that they leave by; empty for rows that go on.
        weight: The part's share of the mix, as text, and whether it is rendered; empty elsewhere.
    """

    start: str
    end: str
    port: str = ""
    weight: str = ""

    @property
    def label(self) -> str:
        """What stands on the arrow."""
        return " ".join(part for part in (f".{self.port}" * bool(self.port), self.weight) if part)


@dataclass(frozen=True, slots=True)
class Picture:
    """Vertices in topological order, and arrows in the order of what they lead to."""

    name: str
    vertices: tuple[Vertex, ...]
    arrows: tuple[Arrow, ...]


def picture_of(graph: Graph, recipe: Recipe, names: Sequence[str] | None = None) -> Picture:
    """The picture of a recipe's logical graph.

    Args:
        graph: As bound, before any rewriting.
        recipe: Its records, for the mix, the split and the output.
        names: Draw only these steps and sources; None for all, with mix, split and output.
    """
    drawn = set(graph.nodes) if names is None else set(names)
    nodes = [node for node in graph if node.name in drawn]
    vertices = [_vertex(node) for node in nodes]
    arrows = [
        Arrow(edge.node, node.name, edge.port)
        for node in nodes
        for edge in dict.fromkeys(node.inputs)
        if edge.node in drawn
    ]
    if names is None and graph.outputs:
        stations = list(_stations(recipe))
        vertices += stations
        arrows += _leaving(graph, recipe, stations[0].key)
        arrows += [Arrow(a.key, b.key) for a, b in pairwise(stations)]
    return Picture(recipe.name, tuple(vertices), tuple(arrows))


def _vertex(node: Node) -> Vertex:
    if node.op == "source":
        return Vertex(node.name, node.name, "source")
    params = node.definition["params"]
    samples = params.get("samples")
    return Vertex(
        key=node.name,
        name=node.name,
        kind="step",
        op=node.op,
        model=node.model,
        samples=samples if isinstance(samples, int) else 1,
        checks=tuple(check["name"] for check in params.get("checks") or ()),
    )


def _stations(recipe: Recipe) -> Iterator[Vertex]:
    if recipe.mix:
        yield Vertex(MIX, "mix", "mix")
    if recipe.split:
        yield Vertex(SPLIT, "split", "split")
    yield Vertex(OUT, "out", "out")


def _leaving(graph: Graph, recipe: Recipe, station: str) -> Iterator[Arrow]:
    weights: dict[Edge, float | None] = {}
    if recipe.mix:
        weights = {Edge(p.input.name, p.input.port): p.weight for p in recipe.mix.parts}
    for edge in graph.outputs:
        weight = weights.get(edge)
        share = show_share(weight) if weight is not None else ""
        share += " rendered" * (str(edge) in graph.renders)
        yield Arrow(edge.node, station, edge.port, share)
