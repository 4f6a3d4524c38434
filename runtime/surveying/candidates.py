"""Documents for a pilot: those that a survey meets first at the steps that ask models first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from ..faults import MisfitError
from ..pipeline import divided
from ..rows import ORDER
from ..stages import fitting
from .arriving import Reaching, arriving
from .drawing import Edge, draw, streamed
from .weights import OWN, ranked

if TYPE_CHECKING:
    from collections.abc import Collection

    from ...compiler.plan import Plan, PlanNode
    from ..counting import Count
    from ..project import Project


@dataclass(frozen=True, slots=True)
class Candidates:
    """Documents that may reach a model.

    Attributes:
        rows: Of each source, with `_order`.
        queues: By step that asks and has none before it that does: `_order`s of the documents that
            may reach it, in the order of the sample.
    """

    rows: dict[str, pl.DataFrame]
    queues: dict[str, list[int]]

    def chosen(self, source: str, orders: Collection[int]) -> pl.DataFrame:
        """Rows of a source, in order, as a source gives them."""
        frame = self.rows[source]
        mine = frame.filter(pl.col(ORDER).is_in(sorted(orders)))
        return mine.drop(OWN, strict=False).sort(ORDER)


def candidates(plan: Plan, project: Project, count: Count | None) -> Candidates:
    """Draw rows as a survey does, and see which get through what is columnar.

    Raises:
        MisfitError: A step does not fit the data.
        OSError: A source cannot be read.
        OutsideError: A source lies where it may not be read.
    """
    drawn = draw(plan, project, count)
    rows = {name: drawn.frames[(name, "")] for name in drawn.sources}
    if drawn.empty:
        return Candidates(rows, {})
    left: dict[Edge, Reaching] = {
        edge: Reaching(frame, False, drawn.sources.keys() <= drawn.whole)
        for edge, frame in drawn.frames.items()
    }
    done = {n.name for n in streamed(plan)} | {n.name for n in plan.nodes if n.stage == "scan"}
    arrived = {
        node.name: _orders(node, left, count)
        for node in plan.nodes
        if node.name not in done and any(edge in left for edge in node.inputs)
    }
    above = _above(plan)
    queues = {}
    for node in plan.nodes:
        if node.asked and not any(n.asked for n in plan.nodes if n.name in above[node.name]):
            ends = [e for e in arrived if e == node.name or e in above[node.name]]
            merged = pl.concat([arrived[e] for e in ends]) if ends else None
            if merged is not None:
                queues[node.name] = (
                    merged.sort("_rank", ORDER)[ORDER].unique(maintain_order=True).to_list()
                )
    return Candidates(rows, queues)


def _orders(node: PlanNode, left: dict[Edge, Reaching], count: Count | None) -> pl.DataFrame:
    """Which documents a step applies to, with their ranks."""
    frame = ranked(arriving(node, left).frame)
    try:
        with fitting(node.name):
            frame, _ = divided(node, count)(frame)
    except MisfitError:  # it reads what comes by another way too
        pass
    return frame.select("_rank", ORDER)


def _above(plan: Plan) -> dict[str, set[str]]:
    """By step, all steps before it."""
    above: dict[str, set[str]] = {}
    for node in plan.nodes:
        names = {name for name, _ in node.inputs}
        above[node.name] = names.union(*(above.get(n, set()) for n in names))
    return above
