"""The survey of a plan: its steps in order, on sampled rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from ...compiler.estimating.facts import Facts, NodeFacts
from ..catalog import load_catalog
from ..checkpool import CheckPool
from ..counting import counter_of
from ..faults import MisfitError
from ..interrupts import run_async
from ..ledger import Ledger
from ..pipeline import COLUMNAR, completed
from ..stages import fitting
from .arriving import Reaching, arriving
from .columns import Fates, fates_of, strictest
from .drawing import Drawn, Edge, draw
from .model_step import row_step
from .parts import parts_of, tokens_of
from .replies import Replies

if TYPE_CHECKING:
    from ...compiler.plan import Plan, PlanNode
    from ..counting import Count
    from ..engine_room import EngineRoom
    from ..project import Project
    from ..sources.spec import Unreadable
    from .moments import Array

CHECK_SECONDS = 30.0
"""How long a check may take for one row of the sample."""


@dataclass(slots=True)
class Survey:
    """Facts, and what was noticed on the way."""

    facts: Facts
    unreadable: dict[str, tuple[Unreadable, ...]] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)


def survey(plan: Plan, project: Project, room: EngineRoom) -> Survey:
    """Measure a plan.

    Raises:
        EngineError: A model or tokenizer cannot be described.
        MisfitError: A step does not fit the data.
        OSError: A source cannot be read.
        OutsideError: A source lies where it may not be read.
    """
    count = counter_of(plan, room)
    drawn = draw(plan, project, count)
    if drawn.empty:  # no step can be tried on rows that are not there
        return Survey(Facts(drawn.sources), drawn.unreadable, drawn.empty)
    with Ledger.open(project.state / "ledger", write=False) as ledger:
        return run_async(_measured(plan, room, ledger, count, drawn))


async def _measured(
    plan: Plan, room: EngineRoom, ledger: Ledger, count: Count | None, drawn: Drawn
) -> Survey:
    # In a process of its own: a check that crashes or hangs must not take the plan with it.
    pool = CheckPool(1, timeout=CHECK_SECONDS)
    surveyor = _Surveyor(plan, room, Replies(room, ledger, pool, count), count, drawn)
    try:
        await surveyor.look()
    finally:
        await pool.close()
    names = {m for n in plan.nodes for m in n.asked}
    facts = Facts(
        sources=drawn.sources,
        nodes=surveyor.nodes,
        estimated=frozenset(n for n in names if not room.info(n).exact_tokens),
        exact=drawn.whole >= drawn.sources.keys(),
        hurried=frozenset(drawn.hurried | surveyor.replies.hurried),
    )
    return Survey(facts, drawn.unreadable, [])


@dataclass(slots=True)
class _Surveyor:
    plan: Plan
    room: EngineRoom
    replies: Replies
    count: Count | None
    drawn: Drawn
    nodes: dict[str, NodeFacts] = field(default_factory=dict)
    _left: dict[Edge, Reaching] = field(default_factory=dict)

    async def look(self) -> None:
        """Look at all steps in order."""
        parts = parts_of(self.plan)
        for edge, frame in self.drawn.frames.items():
            self._left[edge] = Reaching(frame, False, edge[0] in self.drawn.whole)
        for node in self.plan.nodes:
            part = node.name in parts
            if node.stage == "scan":
                if part:
                    self._scanned(node)
            elif node.name in self.drawn.fates:
                self._streamed(node, part)
            else:
                await self._step(node, part)

    def _scanned(self, node: PlanNode) -> None:
        """A source that is itself a part of the mix."""
        import numpy as np

        from .weights import CLUSTER, WEIGHT, size_of

        given = self._left[(node.name, "")]
        size = size_of(given.frame)
        rows = given.frame.select(WEIGHT, CLUSTER)
        fates = Fates(rows, size, np.arange(given.frame.height, dtype=float), size)
        self._note(node, fates, given.frame, given, part=True)

    def _streamed(self, node: PlanNode, part: bool) -> None:
        """A step that was run batch by batch."""
        given = arriving(node, self._left, known=True)
        for port in ("", "rejected"):
            if (frame := self._left.get((node.name, port))) is not None:
                self._left[(node.name, port)] = replace(frame, whole=given.whole)
        kept = self._left[(node.name, "")].frame
        self._note(node, self.drawn.fates[node.name], kept, given, part=part)

    async def _step(self, node: PlanNode, part: bool) -> None:
        given = arriving(node, self._left)
        if node.stage not in COLUMNAR:
            facts, behind = await row_step(node, given, self.replies, self.plan, part=part)
            self.nodes[node.name], self._left[(node.name, "")] = facts, behind
            return
        if not given.frame.height:
            self.nodes[node.name] = NodeFacts(0, given.assumed, given.whole)
            self._left[(node.name, "")] = replace(given, frame=completed(node)(given.frame))
            return
        merges = load_catalog().steps[node.op].whole and not given.whole
        if merges or (node.stage == "gather" and given.assumed):
            # What a sample keeps of it says nothing of the whole; nor do draws nobody has made.
            self.nodes[node.name] = NodeFacts(given.frame.height, given.assumed, given.whole)
            frame = completed(node)(given.frame)
            self._left[(node.name, "")] = Reaching(frame, given.assumed, False)
            return
        try:
            fates, kept, rejected = fates_of(node, given.frame, self.count)
        except MisfitError:
            if not given.assumed:
                raise
            self.nodes[node.name] = NodeFacts(given.frame.height, True, given.whole)
            self._left[(node.name, "")] = given  # it reads what a model has not written yet
            return
        self._left[(node.name, "")] = replace(given, frame=kept)
        if rejected is not None:
            self._left[(node.name, "rejected")] = replace(given, frame=rejected)
        self._note(node, fates, kept, given, part=part)

    def _note(
        self, node: PlanNode, fates: Fates, kept: pl.DataFrame, given: Reaching, *, part: bool
    ) -> None:
        """Note what became of rows at a columnar step."""
        more: dict[str, Array] = {}
        unwritten = self.plan.renders.get(node.name, {}).get("modelled")
        if part and not (unwritten and given.assumed):
            tokens = tokens_of(self.plan, self.replies, node.name, kept)
            if tokens is not None:
                more["tokens_out"] = tokens
        blamed = ""
        if not kept.height and not given.assumed:
            with fitting(node.name):
                blamed = strictest(node, given.frame, self.count)
        self.nodes[node.name] = NodeFacts(
            fates.rows.height,
            given.assumed,
            given.whole,
            reached=fates.moments(**more) if fates.rows.height else None,
            strictest=blamed,
        )
