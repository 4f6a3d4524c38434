"""What a recipe that spends and caps nothing is held to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..budgets import SpendCap
from ..plan import Plan
from ..recipe import Recipe

USD, GPU_HOURS = 10.0, 2.0
"""Small enough to be no disaster, large enough for a first look."""


def default_caps(plan: Plan) -> dict[str, float]:
    """Caps by kind: money where a model has a price, GPU-hours where an hour of `vllm` has one.

    Nothing where the recipe has a `budget:`, whatever is in it, or where nothing has a price: a cap
    on what costs nobody anything would only be in the way.
    """
    if plan.budget is not None:
        return {}
    asked = {name for node in plan.nodes for name in node.asked}
    models = [plan.models[name] for name in asked]
    found: dict[str, float] = {}
    if any(is_priced(model) for model in models):
        found["usd"] = USD
    rate = (plan.hardware or {}).get("usd_per_gpu_hour")
    if rate and any(m["engine"] == "vllm" and not m.get("price") for m in models):
        found["gpu_hours"] = GPU_HOURS
    return found


def caps_in_force(plan: Plan, recipe: Recipe) -> tuple[SpendCap, ...]:
    """The recipe's caps, or those that stand in for them, which point at what costs."""
    if recipe.budget is not None:
        return recipe.budget.caps
    caps = default_caps(plan)
    span = next(
        (m.span for m in recipe.models if m.name in plan.models and costs(plan.models[m.name])),
        recipe.span,
    )
    return tuple(SpendCap(kind, value, span) for kind, value in caps.items())


def costs(model: Mapping[str, Any]) -> bool:
    """Whether a model of a plan is paid for: by tokens, or in hours of `vllm`."""
    return is_priced(model) or model["engine"] == "vllm"


def is_priced(model: Mapping[str, Any]) -> bool:
    """Whether tokens of a model of a plan cost money."""
    price = model.get("price")
    return bool(price and (price["input"] or price["output"]))
