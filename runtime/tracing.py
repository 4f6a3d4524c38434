"""A row sent through a plan by itself, so that all that became of it can be looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from ..compiler.plan import Plan, PlanNode
from .account import Account
from .catalog import load_catalog
from .counting import Count
from .halt import HeldBackError
from .kernel import REASON
from .mishaps import outcome_of
from .outcome import Outcome, all_of
from .pipeline import COLUMNAR, assignments, build_row_op, columnar_stage, divided
from .stages import fitting
from .tools import Tools
from .window import MissingError

Frames = dict[tuple[str, str], pl.DataFrame]
"""Rows by the step and port that they left by."""


@dataclass(frozen=True, slots=True)
class Stop:
    """What one step made of one row.

    Attributes:
        step: The step.
        row: As it reached the step.
        outcomes: What came of it; empty where its completions are not there and not to be had.
    """

    step: PlanNode
    row: Mapping[str, Any]
    outcomes: tuple[Outcome, ...]


ToolsOf = Callable[[PlanNode, Mapping[str, Any]], Tools]
"""The tools of a step for one row."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Sends rows through the steps of a plan, limits apart.

    Attributes:
        plan: The plan.
        tools: The tools of a step for one row.
        count: What expressions count tokens with, if any does.
        steps: Names of the steps to go through; None for all.
    """

    plan: Plan
    tools: ToolsOf
    count: Count | None = None
    steps: frozenset[str] | None = None

    async def walk(self, source: str, rows: pl.DataFrame) -> tuple[Stop, ...]:
        """Send rows of a source through every step that they reach.

        Raises:
            MisfitError: A step does not fit them.
        """
        frames: Frames = {(source, ""): rows}
        stops: list[Stop] = []
        for node in self.plan.nodes:
            if node.stage == "scan" or (self.steps is not None and node.name not in self.steps):
                continue
            given = [frames[edge] for edge in node.inputs if edge in frames and frames[edge].height]
            if not given:
                continue
            with fitting(node.name):
                frame = pl.concat(given, how="diagonal_relaxed")
            if node.stage in COLUMNAR:
                stops += self._map(node, frame, frames)
            else:
                stops += await self._rows(node, frame, frames)
        return tuple(stops)

    def _map(self, node: PlanNode, frame: pl.DataFrame, frames: Frames) -> list[Stop]:
        stage = columnar_stage(node, load_catalog().steps[node.op], Account(), self.count)
        kept, rejected = stage.apply(frame)
        frames[(node.name, "")] = kept
        if rejected is not None:
            frames[(node.name, "rejected")] = rejected
        by_id = {r["_id"]: r for r in frame.rows(named=True)}
        stops = [
            Stop(node, by_id[r["_id"]], (Outcome("out", (r,)),)) for r in kept.rows(named=True)
        ]
        for r in rejected.rows(named=True) if rejected is not None else ():
            stops.append(Stop(node, by_id[r["_id"]], (Outcome("rejected", (r,), r[REASON]),)))
        return stops

    async def _rows(self, node: PlanNode, frame: pl.DataFrame, frames: Frames) -> list[Stop]:
        before, after = assignments(node, self.count)
        with fitting(node.name):
            frame, rest = divided(node, self.count)(frame)
            rows = before(frame).rows(named=True)
        found = await all_of(self._run(node, row) for row in rows)
        stops = [Stop(node, row, outcomes) for row, outcomes in zip(rows, found, strict=True)]
        for port, end in (("", "out"), ("rejected", "rejected"), ("routed", "routed")):
            made = [
                {**r, REASON: o.reason} if port else dict(r)
                for stop in stops
                for o in stop.outcomes
                if o.end == end
                for r in o.rows
            ]
            if made:
                with fitting(node.name):
                    left = pl.DataFrame(made, infer_schema_length=None)
                    frames[(node.name, port)] = left if port else after(left)
        if rest is not None and rest.height:  # its `when:` lets them pass
            made_of_others = [frames[(node.name, "")]] if (node.name, "") in frames else []
            frames[(node.name, "")] = pl.concat([*made_of_others, rest], how="diagonal_relaxed")
            stops += (Stop(node, r, (Outcome("out", (r,)),)) for r in rest.rows(named=True))
        return stops

    async def _run(self, node: PlanNode, row: Mapping[str, Any]) -> tuple[Outcome, ...]:
        op = build_row_op(node, load_catalog().steps[node.op], self.tools(node, row), self.count)
        try:
            found: tuple[Outcome, ...] = await op.run(row)
        except (MissingError, HeldBackError):
            return ()
        except Exception as error:
            return (outcome_of(row, error),)
        return found
