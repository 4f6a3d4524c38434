"""What a run is about to spend, and whether a person should say yes to it first."""

from __future__ import annotations

from dataclasses import dataclass

from ..estimating.estimates import Estimates, Spending
from ..estimating.numbers import Number
from ..plan import Plan, PlanNode
from ..quantities import show_count
from .charges import ranged, show_dollars, show_limit
from .defaults import costs, default_caps

USD, GPU_HOURS = 1.0, 1.0
"""Expected spending above which somebody is asked …"""
UNCAPPED = 0.25
"""… and the share of these where the recipe itself caps neither money nor GPU-hours."""


@dataclass(frozen=True, slots=True)
class Approval:
    """What is about to be spent.

    Attributes:
        words: A sentence for people.
        needed: Whether it is so much that somebody should say yes.
    """

    words: str
    needed: bool


def approval(plan: Plan, estimates: Estimates, pilot: int | None = None) -> Approval:
    """Whether a run, or a pilot, should be approved, by what it is expected to spend.

    Money counts wherever there is a price; GPU-hours count for engine `vllm`. What nobody knows the
    price of is told, and is by itself no reason to ask: a run of local models or of a server of
    one's own needs no approval. Nor does one whose calls nobody can foresee: a cap, its own or the
    default one, holds whatever has a price.

    Args:
        plan: What would run.
        estimates: Of the plan.
        pilot: Rows that a pilot would send to each first model step; None for a whole run.
    """
    usd, unpriced = _dollars(plan, estimates)
    hours = _gpu_hours(plan, estimates)
    if pilot is not None:
        part = _part(plan, estimates, pilot)
        usd, hours = _times(usd, part), _times(hours, part)
    budget = plan.budget or {}
    share = 1.0 if {"usd", "gpu_hours"} & budget.keys() else UNCAPPED
    needed = (usd.value or 0.0) > USD * share or (hours.value or 0.0) > GPU_HOURS * share
    parts = []
    if usd.value:
        parts.append(ranged("usd", usd))
    if hours.value:
        parts.append(f"{ranged('gpu_hours', hours)} GPU-h")
    what = "This" if pilot is None else "The pilot"
    about = f"{what} will spend about {' and '.join(parts)}"
    if not parts:
        about = f"{what} spends nothing known"
    if unpriced:
        about += f", and what {', '.join(f'`{m}`' for m in unpriced)} costs (?)"
    return Approval(f"{about}; {_most(plan, estimates)}.", needed)


def spends(plan: Plan) -> bool:
    """Whether anything it asks is paid for."""
    return any(costs(plan.models[name]) for node in plan.nodes for name in node.asked)


def _part(plan: Plan, estimates: Estimates, rows: int) -> float:
    """The share of a run that a pilot of so many rows is, by the first steps that ask."""
    behind: set[str] = set()
    shares = []
    for node in plan.nodes:
        if any(name in behind for name, _ in node.inputs):
            behind.add(node.name)
        elif node.asked:
            behind.add(node.name)
            step = estimates.steps.get(node.name)
            if step is not None and step.rows_in.value:
                shares.append(min(1.0, rows / step.rows_in.value))
    return max(shares, default=1.0)


def _times(number: Number, factor: float) -> Number:
    low, value, high = (
        None if n is None else n * factor for n in (number.low, number.value, number.high)
    )
    return Number(value, number.basis, low, high)


def _most(plan: Plan, estimates: Estimates) -> str:
    """What bounds it: `never more than $150 or 40 GPU-h (budget)`."""
    own, default = plan.budget or {}, default_caps(plan)
    caps, why = (default, "default cap") if default else (own, "budget")
    shown = [
        show_limit("usd", caps["usd"]) if kind == "usd" else f"{show_count(caps[kind])} {unit}"
        for kind, unit in (
            ("usd", ""),
            ("gpu_hours", "GPU-h"),
            ("tokens", "output tokens"),
            ("requests", "requests"),
        )
        if kind in caps
    ]
    if shown:
        return f"never more than {' or '.join(shown[:2])} ({why})"
    worst = estimates.total.worst_usd if estimates.total else None
    if worst is not None and worst.value:
        return f"at worst {show_dollars(worst.value)}; no budget caps it"
    return "no budget caps it"


def by_model(node: PlanNode, estimates: Estimates) -> dict[str, Spending]:
    """What a step pays to each model that it asks."""
    step = estimates.steps.get(node.name)
    if step is None or not node.asked:
        return {}
    if step.by_model:
        return dict(step.by_model)
    return {node.asked[0]: step.spending} if step.spending else {}


def _dollars(plan: Plan, estimates: Estimates) -> tuple[Number, list[str]]:
    """Expected dollars of all that has a price, and the models that have none and are asked."""
    total = estimates.total.usd if estimates.total else Number(0.0, "e")
    found: dict[str, list[Number]] = {}
    for node in plan.nodes:
        for model, spent in by_model(node, estimates).items():
            if spent.calls.value != 0.0:
                found.setdefault(model, []).append(spent.usd)
    unpriced = sorted(m for m in found if m in estimates.unpriced)
    if total.value is not None and not unpriced:
        return total, []
    known = [n.value for numbers in found.values() for n in numbers if n.value is not None]
    return Number(sum(known), "a"), unpriced


def _gpu_hours(plan: Plan, estimates: Estimates) -> Number:
    """Expected hours of `vllm`, with an interval where nothing else takes hours."""
    found = [
        spent.gpu_hours
        for node in plan.nodes
        for model, spent in by_model(node, estimates).items()
        if plan.models[model]["engine"] == "vllm"
    ]
    hours = sum(n.value or 0.0 for n in found)
    total = estimates.total.gpu_hours if estimates.total else None
    if total is not None and total.value is not None and abs(total.value - hours) < 1e-9:
        return total
    return Number(hours, "a")
