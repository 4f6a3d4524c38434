"""What a cap is estimated to be charged with."""

from __future__ import annotations

from collections.abc import Mapping

from ..budgets import SpendCap
from ..estimating.estimates import Estimates, Spending
from ..estimating.numbers import NOTHING, UNKNOWN, Number
from ..plan import Plan
from ..quantities import show_count, show_money

FIELDS: Mapping[str, tuple[str, str]] = {
    "usd": ("usd", "worst_usd"),
    "gpu_hours": ("gpu_hours", "worst_hours"),
    "tokens": ("reply_tokens", "worst_reply"),
    "input_tokens": ("prompt_tokens", "worst_prompt"),
    "requests": ("calls", "worst_calls"),
}
"""Fields of `Spending` by what is capped: as expected, and at worst. `wall` has none."""
_UNITS: Mapping[str, str] = {
    "tokens": "output tokens",
    "input_tokens": "input tokens",
    "requests": "requests",
    "gpu_hours": "GPU-hours",
}


def charges(plan: Plan, estimates: Estimates, cap: SpendCap) -> tuple[Number, Number]:
    """What is still to be paid under a cap: as expected, and at worst; unknown for `wall`.

    Args:
        plan: Of the estimates.
        estimates: Of all steps.
        cap: Of the run, or of a step.
    """
    if cap.kind not in FIELDS:
        return UNKNOWN, UNKNOWN
    spent = _spending(plan, estimates, cap.step)
    if spent is None:
        return NOTHING, NOTHING
    expected, worst = FIELDS[cap.kind]
    return getattr(spent, expected), getattr(spent, worst)


def _spending(plan: Plan, estimates: Estimates, step: str | None) -> Spending | None:
    """Of the run, or of a step; None where no model is asked."""
    if step is None:
        return estimates.total
    found = estimates.steps.get(plan.aliases.get(step, step))
    return found.spending if found else None


def amount(kind: str, value: float) -> str:
    """`$212`, `3.00B output tokens`: for people."""
    return bare(kind, value) if kind == "usd" else f"{bare(kind, value)} {_UNITS[kind]}"


def bare(kind: str, value: float) -> str:
    """The same without its unit, for where that has been said."""
    return show_dollars(value) if kind == "usd" else show_count(value)


def show_dollars(value: float) -> str:
    """An estimate, cents only where they matter: $37, $8.57."""
    return f"${value:,.0f}" if value >= 9.995 else show_money(value)


def show_limit(kind: str, value: float) -> str:
    """A cap as somebody has written it: $150, $12.50, 3.00B output tokens."""
    return show_money(value).removesuffix(".00") if kind == "usd" else amount(kind, value)


def ranged(kind: str, number: Number) -> str:
    """`$212 [180–250]`; a number that is exact, or whose spread nobody knows, stands alone."""
    shown = bare(kind, number.value or 0.0)
    if number.interval is None:
        return shown
    low, high = (bare(kind, max(0.0, end)).removeprefix("$") for end in number.interval)
    return f"{shown} [{low}–{high}]"
