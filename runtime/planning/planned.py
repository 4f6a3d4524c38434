"""What a plan expected, read from its record: the JSON of `Estimates`, in its new form and its old.

The new form has `steps.NAME.spending.calls` and `total`, with intervals; records of before have
`steps.NAME.calls`, without.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from ...compiler.estimating.facts import Price
from ...compiler.estimating.numbers import BASES, UNKNOWN, Basis, Number, weakest
from ...compiler.quantities import show_count, show_duration, show_money

Quantity = str
"""One of `QUANTITIES`."""
LABELS: Mapping[Quantity, str] = {
    "calls": "calls",
    "prompt_tokens": "tokens in",
    "reply_tokens": "tokens out",
    "usd": "USD",
    "gpu_hours": "busy time",
}
"""What is spent, in words. Hours are those in which own hardware is at work."""
QUANTITIES: tuple[Quantity, ...] = tuple(LABELS)

Amounts = Mapping[Quantity, Number]
_RENAMED = {"l": "p"}
"""Bases of the old form."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What was expected of a step.

    Attributes:
        rows_in: Rows that reach it.
        rows_out: Rows that go on.
        spending: What it was still to pay for; empty for a step that asks no model.
        by_model: The same by model, where that was told apart.
        reused: Share of its rows that the ledger answers.
    """

    rows_in: Number = UNKNOWN
    rows_out: Number = UNKNOWN
    spending: Amounts = field(default_factory=dict)
    by_model: Mapping[str, Amounts] = field(default_factory=dict)
    reused: float = 0.0


def planned_steps(estimates: Mapping[str, Any] | None) -> dict[str, Planned]:
    """By step; empty where nothing was estimated.

    Args:
        estimates: `Estimates.to_json`, as a record, an event or `begun.json` holds it.
    """
    found = (estimates or {}).get("steps")
    return {name: _step(e) for name, e in found.items()} if isinstance(found, Mapping) else {}


def planned_total(estimates: Mapping[str, Any] | None) -> Amounts:
    """Of all steps; of the old form the sums, which have no intervals."""
    total = (estimates or {}).get("total")
    if isinstance(total, Mapping):
        return _amounts(total)
    steps = [s.spending for s in planned_steps(estimates).values() if s.spending]
    given = {q: [s[q] for s in steps if q in s] for q in QUANTITIES}
    return {q: _sum(numbers) for q, numbers in given.items() if numbers}


def price_of(model: str, estimates: Mapping[str, Any] | None, plan: Any = None) -> Price | None:
    """What tokens of a model cost, as the estimate took it; else as the plan's recipe says."""
    said = ((estimates or {}).get("prices") or {}).get(model)
    if isinstance(said, Mapping):
        known = {k: said[k] for k in ("input", "output", "cached_input") if k in said}
        return Price(**known)
    price = plan.models[model].get("price") if plan is not None and model in plan.models else None
    if not price:
        return None
    per = float(price["per"])
    cached = price.get("cached_input")
    return Price(
        float(price["input"]) / per,
        float(price["output"]) / per,
        None if cached is None else float(cached) / per,
    )


def number_of(value: Any) -> Number:
    """A number from its JSON; unknown for what is none."""
    if not isinstance(value, Mapping):
        return UNKNOWN
    said, kept = str(value.get("basis")), value.get("value")
    said = _RENAMED.get(said, said)
    if said not in BASES or not isinstance(kept, int | float):
        return UNKNOWN
    low, high = (_float(value.get(k)) for k in ("low", "high"))
    return Number(float(kept), cast("Basis", said), low, high)


def _step(value: Mapping[str, Any]) -> Planned:
    spending = value.get("spending", value if value.get("calls") is not None else None)
    return Planned(
        number_of(value.get("rows_in")),
        number_of(value.get("rows_out")),
        _amounts(spending) if isinstance(spending, Mapping) else {},
        {name: _amounts(a) for name, a in (value.get("by_model") or {}).items()},
        float(value.get("reused") or 0.0),
    )


def _amounts(value: Mapping[str, Any]) -> Amounts:
    return {q: number_of(value[q]) for q in QUANTITIES if value.get(q) is not None}


def _sum(numbers: list[Number]) -> Number:
    if any(n.value is None for n in numbers):
        return UNKNOWN
    if len(numbers) == 1:
        return numbers[0]
    bases: list[Basis] = [n.basis for n in numbers]
    return Number(sum(n.value or 0.0 for n in numbers), weakest(*bases))


def _float(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def show_amount(quantity: Quantity, value: float | None) -> str:
    """An amount as people read it: `1.24k`, `$0.36`, `9m 02s`; `?` where it is not known."""
    if value is None:
        return "?"
    if quantity == "usd":
        return show_money(value)
    return show_duration(value * 3600) if quantity == "gpu_hours" else show_count(value)
