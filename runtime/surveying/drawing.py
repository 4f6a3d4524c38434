"""Rows of the sources, as many as it takes for enough of them to reach what asks models.

What is columnar and looks at one row at a time is run batch by batch; where it ends, `frames` holds
what arrives there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import polars as pl

from ...compiler.estimating.facts import SourceFacts
from ..catalog import load_catalog
from ..execution import source_specs
from ..faults import MisfitError
from ..pipeline import divided
from ..sources.sampler import open_sampler
from ..stages import fitting
from .columns import Fates, fates_of
from .effort import READ, SLICE, Effort, Patience
from .weights import Extent, numbered, size_of, weighted

if TYPE_CHECKING:
    from ...compiler.plan import Plan, PlanNode
    from ..counting import Count
    from ..project import Project
    from ..sources.spec import Unreadable

ENOUGH_ROWS = 1_000
"""Rows that are to reach each first step that is not columnar."""
ENOUGH_BYTES = 16 << 20
"""Text of a source that is looked at in any case, if there is so much."""
MOST_BYTES = 192 << 20
"""Text of a source that is looked at at most, where a filter lets next to nothing through."""
ENOUGH_SECONDS = 8.0
"""After so much work, what has been drawn has to do."""

Edge = tuple[str, str]
"""A step and its port."""


class Sampler(Protocol):
    """One source, whose rows come in an order that is the same however many are asked for."""

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        """Lines that are no rows."""
        ...

    @property
    def whole(self) -> bool:
        """Whether all of its rows have been given."""
        ...

    @property
    def slices(self) -> int:
        """Pieces that were cut out of files of typed columns so far."""
        ...

    def more(self) -> pl.DataFrame:
        """The next rows; none when there are no more to be had."""
        ...

    def facts(self) -> SourceFacts:
        """What is known of the source so far."""
        ...


@dataclass(slots=True)
class Drawn:
    """What was drawn.

    Attributes:
        sources: What is known of each source.
        whole: Sources of which the sample holds all rows.
        unreadable: By source, lines that are no rows.
        frames: Rows by the step and port that they left by, with weights; of sources and of steps
            that were run batch by batch.
        fates: Of these steps, what became of each row.
        hurried: Sources that were left early, since drawing took too long by the clock.
    """

    sources: dict[str, SourceFacts] = field(default_factory=dict)
    whole: set[str] = field(default_factory=set)
    unreadable: dict[str, tuple[Unreadable, ...]] = field(default_factory=dict)
    frames: dict[Edge, pl.DataFrame] = field(default_factory=dict)
    fates: dict[str, Fates] = field(default_factory=dict)
    hurried: set[str] = field(default_factory=set)

    @property
    def empty(self) -> list[str]:
        """Sources without rows."""
        return [name for name in self.sources if not self.frames[(name, "")].height]


def draw(plan: Plan, project: Project, count: Count | None) -> Drawn:
    """Draw rows of all sources, and run on them what can be run batch by batch.

    Raises:
        MisfitError: A step does not fit the data.
        OSError: A source cannot be read.
        OutsideError: A source lies where it may not be read.
    """
    return _Drawing(plan, project, count).run()


def streamed(plan: Plan) -> list[PlanNode]:
    """Steps that are columnar and look at one row at a time, as do all those before them."""
    found: dict[str, PlanNode] = {}
    sources = {n.name for n in plan.nodes if n.stage == "scan"}
    steps = load_catalog().steps
    for node in plan.nodes:
        local = node.stage == "map" and node.most_rows is None and not steps[node.op].whole
        readable = all(
            name in sources or (name in found and port in ("", "rejected"))
            for name, port in node.inputs
        )
        if local and readable:
            found[node.name] = node
    return list(found.values())


@dataclass(slots=True)
class _Source:
    """A source that is being drawn from."""

    name: str
    number: int
    sampler: Sampler
    batches: list[pl.DataFrame] = field(default_factory=list)
    rows: int = 0
    early: float = 0.0
    """Rows that it has, by the first batch."""
    size: float = 0.0
    done: bool = False


@dataclass(slots=True)
class _Drawing:
    plan: Plan
    project: Project
    count: Count | None
    _effort: Effort = field(default_factory=Effort)
    _nodes: list[PlanNode] = field(init=False)
    _batches: dict[Edge, list[pl.DataFrame]] = field(default_factory=dict)
    _fates: dict[str, list[Fates]] = field(default_factory=dict)
    _arrived: dict[str, int] = field(default_factory=dict)
    """Rows at each step where streaming ends."""
    _read: set[Edge] = field(default_factory=set)
    """By which step and port rows reach another."""
    _below: dict[str, set[str]] = field(default_factory=dict)
    """By source, the steps where streaming of its rows ends."""

    def __post_init__(self) -> None:
        if self.count is not None:
            self.count = self._effort.counted(self.count)
        self._nodes = streamed(self.plan)
        self._read = {edge for node in self.plan.nodes for edge in node.inputs}
        names = {n.name for n in self._nodes}
        above: dict[str, set[str]] = {}
        for node in self.plan.nodes:
            if node.stage == "scan":
                above[node.name] = {node.name}
                self._below[node.name] = set()
                continue
            sources = set[str]().union(*(above.get(name, set()) for name, _ in node.inputs))
            if node.name in names:
                above[node.name] = sources
            elif sources:
                self._arrived[node.name] = 0
                for source in sources:
                    self._below[source].add(node.name)

    def run(self) -> Drawn:
        """Draw until there is enough of everything."""
        seed = int(self.plan.recipe["seed"])
        specs = source_specs(self.plan, self.project)
        order = [n.name for n in self.plan.nodes if n.stage == "scan" and n.name in specs]
        order += [name for name in specs if name not in order]
        sources = [
            _Source(n, k, open_sampler(specs[n], seed, size=MOST_BYTES))
            for k, n in enumerate(order)
        ]
        patience = Patience(ENOUGH_SECONDS)
        while waiting := [s for s in sources if not (s.done or self._enough(s))]:
            if self._effort.spent > ENOUGH_SECONDS:
                break
            for source in waiting:
                if source.batches and patience.out:
                    hurried = {s.name for s in waiting if not s.done}
                    return self._drawn({s.name: s for s in sources}, list(specs), hurried)
                if not self._enough(source):  # others may have brought what was wanting
                    self._take(source)
        return self._drawn({s.name: s for s in sources}, list(specs))

    def _enough(self, source: _Source) -> bool:
        """Whether there is enough of a source, and of what comes of it."""
        below = self._below.get(source.name, ())
        return source.size >= ENOUGH_BYTES and all(self._arrived[n] >= ENOUGH_ROWS for n in below)

    def _take(self, source: _Source) -> None:
        """Draw another batch of a source, and run it as far as it can be."""
        before = source.sampler.slices
        batch = source.sampler.more()
        self._effort.add(SLICE * (source.sampler.slices - before))
        if not batch.height and source.batches:
            source.done = True
            return
        if not source.batches:
            source.early = source.sampler.facts().rows
        frame = numbered(batch, source.number, source.rows)
        source.batches.append(frame)
        source.rows += frame.height
        size = float(size_of(frame).sum())
        source.size += size
        self._effort.add(READ * size)
        source.done = source.sampler.whole or not frame.height
        if not frame.height:  # a source that holds no row is told as such
            return
        self._stream(source.name, frame)

    def _stream(self, source: str, frame: pl.DataFrame) -> None:
        left: dict[Edge, pl.DataFrame] = {(source, ""): frame}
        for node in self._nodes:
            given = [left[edge] for edge in node.inputs if edge in left]
            if not given:
                continue
            with fitting(node.name):
                rows = pl.concat(given, how="diagonal_relaxed")
            fates, kept, rejected = fates_of(node, rows, self.count)
            self._effort.streaming(node, rows.height, float(fates.size.sum()))
            self._fates.setdefault(node.name, []).append(fates)
            left[(node.name, "")] = kept
            if rejected is not None:
                left[(node.name, "rejected")] = rejected
        for node in self.plan.nodes:
            if node.name in self._arrived:
                given = [left[edge] for edge in node.inputs if edge in left]
                self._arrived[node.name] += sum(self._meant(node, rows) for rows in given)
        for edge, rows in left.items():
            if edge[0] != source and (not edge[1] or edge in self._read):
                self._batches.setdefault(edge, []).append(rows)

    def _meant(self, node: PlanNode, rows: pl.DataFrame) -> int:
        """How many rows a step applies to, as far as can be said."""
        try:
            with fitting(node.name):
                return divided(node, self.count)(rows)[0].height
        except MisfitError:  # it reads what comes by another way
            return rows.height

    def _drawn(
        self, sources: Mapping[str, _Source], names: list[str], hurried: Iterable[str] = ()
    ) -> Drawn:
        made = Drawn(hurried=set(hurried))
        for name in names:
            source = sources[name]
            made.sources[name] = source.sampler.facts()
            if source.sampler.whole:
                made.whole.add(name)
            if source.sampler.unreadable:
                made.unreadable[name] = source.sampler.unreadable
            self._batches[(name, "")] = source.batches
        extents = {
            s.number: Extent(made.sources[n].rows, s.rows, s.early) for n, s in sources.items()
        }
        for edge, batches in self._batches.items():
            whole = pl.concat(batches, how="diagonal_relaxed")
            made.frames[edge] = weighted(whole, extents)
        for name, fates in self._fates.items():
            made.fates[name] = Fates.joined(fates, extents)
        return made
