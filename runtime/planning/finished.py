"""A plan with nothing to do: its data set stands, and what it holds is known without looking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...compiler.estimating.estimates import Estimates, Spending, StepEstimate
from ...compiler.estimating.numbers import Number
from ...compiler.plan import Plan as PlanRecord

if TYPE_CHECKING:
    from ..api import Plan


def standing(plan: Plan) -> dict[str, Any] | None:
    """The record of the data set that stands, whole, for exactly this plan; None without one."""
    from ..output import output_of
    from .partway import early

    if early(plan.record.recipe):
        return None
    output = output_of(plan.record, plan.recipe.project)
    record = output.standing() or {}
    if not output.complete(plan.record.digest) or record.get("passes", 1) != plan.passes():
        return None
    return record


def estimates_standing(plan: PlanRecord, record: Mapping[str, Any]) -> Estimates:
    """What a data set that stands is known to hold: all of it counted, nothing left to pay for."""
    accounts = record.get("steps", {})
    steps = {
        node.name: StepEstimate(
            _counted(accounts[node.name]["in"]),
            _counted(accounts[node.name]["out"]),
            Spending() if node.asked else None,
            reused=1.0 if node.asked else 0.0,
        )
        for node in plan.nodes
        if node.name in accounts
    }
    asked = any(node.asked for node in plan.nodes)
    return Estimates(steps=steps, total=Spending() if asked else None, **dict(_mix(record)))


def _mix(record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    mix = record.get("mix")
    if mix:
        parts = mix["parts"]
        yield "supply", {name: _counted(part["supply"]) for name, part in parts.items()}
        yield "taken", {name: float(part["taken"]) for name, part in parts.items()}
        yield "epochs", {name: _counted(part["epochs"]) for name, part in parts.items()}
        yield "human_share", _counted(mix["human_share"])


def _counted(value: float) -> Number:
    return Number(float(value), "e")
