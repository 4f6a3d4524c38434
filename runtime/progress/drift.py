"""The alarm of a run that leaves its plan (B557): by more than the forecast's own uncertainty."""

from __future__ import annotations

from ...compiler.estimating.numbers import Number
from ..planning.planned import LABELS, Amounts, show_amount
from .snapshot import Snapshot

CODE = "B557"
LEAST_SHARE = 0.05
"""Of the calls, before anything is said …"""
LEAST_REPLIES = 200
"""… and replies."""


def drifted(view: Snapshot, expected: Amounts) -> dict[str, str]:
    """What is said of each quantity whose forecast has left the plan's 90 % interval.

    The whole interval of the forecast must lie outside of the plan's, after 5 % of the calls and
    200 replies.

    Args:
        view: The run as it stands, with its forecast.
        expected: What the plan said of all steps.
    """
    ahead = view.forecast.whole
    replies = view.total("sent") - view.total("retried") - view.total("in_flight")
    calls = ahead.get("calls")
    if calls is None or not calls.value or replies < LEAST_REPLIES:
        return {}
    if view.steps and all(s.ended for s in view.steps):  # `afterwards` says it, and why
        return {}
    share = min(replies / calls.value, 1.0)
    if share < LEAST_SHARE:
        return {}
    found = {}
    for quantity, plan in expected.items():
        now = ahead.get(quantity)
        if now is not None and now.value and plan.value and _apart(now, plan):
            found[quantity] = _said(quantity, now, plan, share)
    return found


def _apart(now: Number, plan: Number) -> bool:
    """Whether two intervals have nothing in common. A plan that only assumes promises nothing."""
    if plan.interval is None and plan.basis != "e":
        return False
    (low, high), (least, most) = _bounds(now), _bounds(plan)
    return (
        low > most + 0.5 or high < least - 0.5
        if plan.interval is None
        else (low > most or high < least)
    )


def _bounds(number: Number) -> tuple[float, float]:
    value = number.value or 0.0
    return number.interval or (value, value)


def _said(quantity: str, now: Number, plan: Number, share: float) -> str:
    assert now.value is not None
    assert plan.value is not None
    are = f"{LABELS[quantity]} {'is' if quantity in ('usd', 'gpu_hours') else 'are'}"
    times = f"{now.value / plan.value:.2g}× the plan after {share:.0%}"
    wide = "interval was" if plan.interval else "the plan was"
    return (
        f"{are} {times}: forecast {show_amount(quantity, now.value)} "
        f"[{_span(quantity, now)}]; {wide} [{_span(quantity, plan)}]"
    )


def _span(quantity: str, number: Number) -> str:
    low, high = (show_amount(quantity, v) for v in _bounds(number))
    return low if low == high else f"{low}–{high}"
