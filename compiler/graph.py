"""The graph of a bound recipe: typed nodes, edges and the traits that rewrite rules go by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any, Literal

from .recipe import Origin
from .registry import Cost
from .tuning import PLAIN, Tuning
from .types import Columns

if TYPE_CHECKING:
    from .prompts.text_template import TextTemplate

NodeStage = Literal["scan", "map", "generate", "check", "gather"]
Json = Any
"""What `json.dumps` takes; definitions hold nothing else."""

Makers = Mapping[str, tuple[str, ...]]
"""Column name to the steps or sources that made its values, sorted; several after a union."""

DERIVED = ("reads",)
"""Keys of a definition that follow from the others, so that they are no part of identity."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Rows of one port of a node. The port `""` is what goes on; the others are asides."""

    node: str
    port: str = ""

    def __str__(self) -> str:
        return f"{self.node}.{self.port}" if self.port else self.node


@dataclass(frozen=True, slots=True)
class Rows:
    """What the rows of a port hold; the attributes are those of `Node`."""

    columns: Columns
    modelled: frozenset[str]
    origin: Origin
    makers: Makers = field(default_factory=dict)


def joint_origin(given: Iterable[Rows]) -> Origin:
    """The origin of rows that flow together."""
    found: Origin | None = None
    for rows in given:
        found = rows.origin if found in (None, rows.origin) else "mixed"
    return found or "mixed"


@dataclass(frozen=True, slots=True)
class Traits:
    """What a rewrite rule may know of a node. `reads=None` means unknown, which blocks every rule.

    Attributes:
        reads: Columns whose values the node looks at, those of its `set:` included.
        writes: Columns that the node makes or replaces, those of its `set:` and Mashbill's own
            included.
        drops: Whether it can reject or route rows.
        row_local: Whether a row's result depends on that row alone.
        multiplies: Whether one row can become several.
        cost: free (columnar), cpu or model.
    """

    reads: frozenset[str] | None
    writes: frozenset[str]
    drops: bool
    row_local: bool
    multiplies: bool
    cost: Cost


@dataclass(frozen=True, slots=True)
class Node:
    """One step or source.

    Attributes:
        name: The recipe's name for it.
        op: The operator, or `source`.
        version: The operator's version.
        stage: The physical stage it lowers to.
        inputs: Whose rows it reads; several are a union.
        definition: Everything that decides its result, resolved and canonical: `params`, `set`,
            `limit`, and what a model call depends on. No names, paths, comments or placement.
        columns: What its rows have when they leave.
        modelled: The columns among them that hold a model's words.
        origin: Of the text of its rows.
        traits: For rewrite rules.
        model: The model it calls, if it does.
        prompt: Path and texts of the files that its prompt was read from; `definition` holds what
            of it is identity.
        models: Models that its checks and its ladder ask beside, by place: `checks.judge.model`,
            `on_fail.1.model`; `definition` holds what of them is identity.
        prompts: Their prompts, by place, as `prompt`.
        fingerprint: Identity, taken before any rewriting.
        rule: Digest of what the node does to a row, whatever it is called and whatever it reads.
            How many rows a `limit:` lets in is not part of it, so that raising one changes no row.
        aside: What the rows of its asides hold: they leave as they came, `set:` done, with the
            reason.
        declared: The inputs as the recipe names them, whatever rules made of them.
        makers: Who made the values of each column; for people, no part of identity.
        tuning: How rules would have it run.
    """

    name: str
    op: str
    version: int
    stage: NodeStage
    inputs: tuple[Edge, ...]
    definition: Mapping[str, Json]
    columns: Columns
    modelled: frozenset[str]
    origin: Origin
    traits: Traits
    model: str | None = None
    prompt: Mapping[str, Json] | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    prompts: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    fingerprint: str = ""
    rule: str = ""
    aside: Rows | None = None
    declared: tuple[Edge, ...] = ()
    makers: Makers = field(default_factory=dict)
    tuning: Tuning = PLAIN

    @property
    def asked(self) -> tuple[str, ...]:
        """All models that it asks, its own first."""
        return all_asked(self.model, self.models)

    def rows(self, port: str = "") -> Rows:
        """What the rows of a port hold."""
        if port and self.aside:
            return self.aside
        return Rows(self.columns, self.modelled, self.origin, self.makers)


@dataclass(frozen=True, slots=True)
class Render:
    """How the rows of a part of the mix become training text.

    Attributes:
        template: What writes it.
        files: Text of every file that it was read from, by path.
        modelled: The columns besides `text` that it looks at and that hold a model's words.
        origin: Of the text.
    """

    template: TextTemplate
    files: Mapping[str, str]
    modelled: tuple[str, ...]
    origin: Origin

    def to_json(self) -> dict[str, Json]:
        """As a plan carries it; none of this is identity."""
        return {
            "path": self.template.path,
            "files": dict(self.files),
            "reads": list(self.template.reads),
            "modelled": list(self.modelled),
            "origin": self.origin,
        }


def all_asked(model: str | None, models: Mapping[str, str]) -> tuple[str, ...]:
    """All models that a step asks, its own first, each once."""
    return tuple(dict.fromkeys([*filter(None, [model]), *sorted(models.values())]))


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in topological order, and the edges that leave the graph (parts of the mix, or one).

    Attributes:
        nodes: By name.
        outputs: The edges that leave, in a fixed order.
        aliases: Steps that a rule replaced by another with the same rows.
        results: Fingerprint of what leaves by each edge, as the recipe names it, before rewriting.
        mixed: Whether the outputs are parts of a mix, whose names stand in the data set: then rules
            leave the names of nodes that leave the graph as they are.
        wanted: Columns that are looked at once rows have left, besides `text` and those that begin
            with `_`; None where that is not known, and any may be.
        renders: How rows become text once they have left, by the part's name.
    """

    nodes: Mapping[str, Node]
    outputs: tuple[Edge, ...]
    aliases: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, str] = field(default_factory=dict)
    mixed: bool = False
    wanted: frozenset[str] | None = None
    renders: Mapping[str, Render] = field(default_factory=dict)
    _readers: dict[str, list[tuple[Node, str]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def readers(self, name: str, port: str | None = None) -> tuple[Node, ...]:
        """Nodes that read a node (one of its ports, if named), each once."""
        if not self._readers:
            for node in self.nodes.values():
                for edge in node.inputs:
                    self._readers.setdefault(edge.node, []).append((node, edge.port))
        found = self._readers.get(name, ())
        return tuple({n.name: n for n, p in found if port is None or p == port}.values())

    def leaves(self, name: str, port: str | None = None) -> bool:
        """Whether rows of the node (of one of its ports, if named) leave the graph."""
        return any(e.node == name and (port is None or e.port == port) for e in self.outputs)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes.values())


def in_topological_order(nodes: Iterable[Node]) -> dict[str, Node]:
    """Order nodes so that each comes after what it reads; ties by name.

    Raises:
        ValueError: On a cycle; binding has refused it before.
    """
    by_name = {n.name: n for n in nodes}
    order = topological_order({n.name: {e.node for e in n.inputs} for n in by_name.values()})
    if isinstance(order, Cycle):
        raise ValueError(f"cycle: {' → '.join(order.names)}")
    return {name: by_name[name] for name in order if name in by_name}


@dataclass(frozen=True, slots=True)
class Cycle:
    """Names around a cycle, each read by the next, the first repeated at the end."""

    names: tuple[str, ...]


def topological_order(reads: Mapping[str, set[str]]) -> tuple[str, ...] | Cycle:
    """Order names after what they read, ties by name, or show one cycle."""
    sorter = TopologicalSorter({name: sorted(needs) for name, needs in sorted(reads.items())})
    try:
        sorter.prepare()
    except CycleError as error:
        return Cycle(tuple(error.args[1]))
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order.extend(ready)
        sorter.done(*ready)
    return tuple(order)


def sources_of(names: Iterable[str], nodes: Mapping[str, Node]) -> frozenset[str]:
    """The sources whose rows reach one of several steps."""
    found: set[str] = set()
    todo, seen = [*names], set[str]()
    while todo:
        node = nodes.get(todo.pop())
        if node is None or node.name in seen:
            continue
        seen.add(node.name)
        if node.stage == "scan":
            found.add(node.name)
        todo.extend(e.node for e in node.inputs)
    return frozenset(found)
