"""The checks of a step, and the share of its rows that pass them, where estimates tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..estimating.estimates import StepEstimate
from ..plan import Plan, PlanNode
from .figure import UNKNOWN, Figure
from .gates import Gate, GateRates, assess_gate

SHOWN = ("e", "s", "p", "h")
"""Bases of a yield that was seen: one that is assumed says nothing about the rows."""


def checks_of(node: PlanNode) -> Sequence[Mapping[str, Any]]:
    """The checks that a step holds rows to; none where it only measures."""
    params = node.definition.get("params") or {}
    return () if params.get("mode") == "audit" else params.get("checks") or ()


def assess_gates(
    plan: Plan, steps: Mapping[str, StepEstimate], rates: Mapping[str, GateRates]
) -> tuple[Gate, ...]:
    """All checks of a plan as gates.

    Args:
        plan: The plan.
        steps: Estimates of its steps.
        rates: As measured, by `step.check`.
    """
    return tuple(_gates(plan, steps, rates))


def _gates(
    plan: Plan, steps: Mapping[str, StepEstimate], rates: Mapping[str, GateRates]
) -> Iterator[Gate]:
    for node in plan.nodes:
        passed = passed_share(node, steps.get(node.name))
        for check in checks_of(node):
            found = rates.get(f"{node.name}.{check['name']}")
            yield assess_gate(node.name, check["name"], check["kind"], found, passed)


def passed_share(node: PlanNode, step: StepEstimate | None) -> Figure:
    """Share of drafts that pass a step's checks, from the rows before and behind it.

    Unknown where these do not tell: a ladder that takes the text back, routes or repairs it, draws
    that stop early, rows that are not judged.
    """
    params = node.definition.get("params") or {}
    rungs = params.get("on_fail") or ()
    tries = 1 + sum(int(rung.get("times", 0)) for rung in rungs if rung["rung"] == "retry")
    unclear = (
        {rung["rung"] for rung in rungs} - {"retry", "reject"}
        or params.get("until")
        or node.tuning.until
        or node.tuning.fed
        or params.get("sample") is not None
        or node.definition.get("when")
    )
    if unclear or step is None or step.rows_out.basis not in SHOWN or not step.rows_in.value:
        return UNKNOWN
    drafts = step.rows_in.value * int(params.get("samples") or 1)
    out = step.rows_out
    ends = (out.value, out.low if out.low is not None else out.value, out.high or out.value)
    shares = [1 - (1 - min(1.0, (n or 0.0) / drafts)) ** (1 / tries) for n in ends]
    return Figure(shares[0], shares[1], shares[2], "rows seen to pass")
