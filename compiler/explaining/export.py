"""A plan as stable JSON, for programs: `schemas/plan.schema.json` is its published form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from ..estimating.estimates import Estimates, Spending
from . import caps
from .caps import Cap
from .subject import Step, Subject
from .told import Told

FORMAT = 1
ACTIONS: Mapping[str, str] = {
    "+": "new",
    "~": "changed",
    "↻": "run_again",
    "=": "unchanged",
    "-": "dropped",
}


def plan_json(told: Told) -> dict[str, Any]:
    """The plan and its estimates as plain JSON.

    Unknown numbers have the value null and the basis `?`. Fields are added to the form, never
    taken away or given another meaning, without another number in `mashbill_plan_estimates`.
    """
    subject = told.subject(verbose=True)
    plan, pilot = told.plan, told.pilot
    return {
        "mashbill_plan_estimates": FORMAT,
        "recipe": plan.recipe["name"],
        "plan": plan.digest,
        "lock": told.lock,
        "compared_with": subject.compared or None,
        "selected": subject.selected,
        "measured": told.estimates is not None,
        "steps": [_step(step) for step in subject.steps],
        "total": _spending(subject.total),
        "budget": {kind: limit for kind, limit in subject.caps.items() if kind not in _APART},
        "caps": [_cap(cap) for cap in caps.caps_of(subject)],
        "mix": _mix(subject),
        "worth": told.worth.to_json() if told.worth else None,
        "pilot": asdict(pilot) if pilot else None,
        "missing": dict(told.missing),
        **_measured(told.estimates),
    }


_APART = ("steps", "breakers")


def _step(step: Step) -> dict[str, Any]:
    """A step; what nothing was measured of is null."""
    node, estimate = step.node, step.estimate
    told: dict[str, Any] = {
        "name": step.name,
        "op": node.op if node else None,
        "action": ACTIONS[step.symbol],
        "why": step.why,
        "models": list(node.asked) if node else [],
    }
    if estimate is None:
        return {**told, "estimate": None}
    made = {f.name: getattr(estimate, f.name) for f in fields(estimate)}
    made["rows_in"], made["rows_out"] = asdict(estimate.rows_in), asdict(estimate.rows_out)
    made["spending"] = _spending(estimate.spending)
    made["by_model"] = {name: _spending(s) for name, s in estimate.by_model.items()}
    return {**told, "estimate": made}


def _spending(spending: Spending | None) -> dict[str, Any] | None:
    return asdict(spending) if spending else None


def _cap(cap: Cap) -> dict[str, Any]:
    """A cap; hours in hours, whatever the terminal shows them in."""
    return {
        "path": cap.path,
        "limit": cap.limit / cap.measure.scale,
        "expected": asdict(getattr(cap.spending, cap.measure.field)),
        "worst": asdict(getattr(cap.spending, cap.measure.worst)),
    }


def _mix(subject: Subject) -> dict[str, Any] | None:
    plan, estimates = subject.plan, subject.estimates
    if plan.mix is None or estimates is None:
        return None
    parts = {
        name: {
            "weight": part["weight"],
            "taken": estimates.taken.get(name),
            "supply": _number(estimates.supply.get(name)),
            "epochs": _number(estimates.epochs.get(name)),
            "render": plan.renders.get(name, {}).get("path"),
        }
        for name, part in plan.mix["parts"].items()
    }
    return {
        "total": plan.mix["total"],
        "tokenizer": plan.tokenizer,
        "parts": parts,
        "human_share": _number(estimates.human_share),
        "min_human": plan.mix["min_human"],
        "on_shortfall": plan.mix["on_shortfall"],
    }


def _number(number: Any) -> dict[str, Any] | None:
    return asdict(number) if number is not None else None


def _measured(estimates: Estimates | None) -> dict[str, Any]:
    """What the estimates rest on."""
    if estimates is None:
        nothing: dict[str, Any] = {"sources": {}, "speeds": {}, "prices": {}, "unpriced": []}
        return {**nothing, "leverage": None, "hurried": []}
    return {
        "sources": {name: asdict(s) for name, s in estimates.sources.items()},
        "speeds": {name: asdict(s) for name, s in estimates.speeds.items()},
        "prices": {name: asdict(p) for name, p in estimates.prices.items()},
        "unpriced": sorted(estimates.unpriced),
        "leverage": asdict(estimates.leverage) if estimates.leverage else None,
        "hurried": sorted(estimates.hurried),
    }
