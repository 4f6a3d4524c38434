"""What was estimated beside what happened, by step and in total, and what each error is owed to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...compiler.estimating.numbers import UNKNOWN, Number
from ..planning.planned import (
    QUANTITIES,
    Amounts,
    Planned,
    Quantity,
    planned_steps,
    planned_total,
    price_of,
)
from .causes import Chain, causes_of

ROUNDED = 0.5
"""How far an exact count may lie from its estimate, which is a float."""
COUNTS = ("calls", "prompt_tokens", "reply_tokens")
NOT_LET_IN = ("limit", "candidates")
"""Why rows are rejected before a step has looked at them."""


def compare(
    estimates: Mapping[str, Any] | None,
    accounts: Mapping[str, Any],
    paid: Mapping[str, Any],
    *,
    complete: bool = True,
) -> dict[str, Any] | None:
    """What a run's record holds under `afterwards`; None where nothing was estimated.

    What an estimate says of calls, tokens, money and hours is what the run was still to pay for
    when it began, so runs that go on with an earlier one are held against their own estimates.

    Args:
        estimates: `Estimates.to_json`.
        accounts: By step, as the record holds them.
        paid: What `spent_by_step` found.
        complete: Whether the run came to its end; one that did not falls short of every estimate,
            so nothing is said to be inside its interval.

    Returns:
        `complete`; `total` and `steps.NAME`: by quantity `estimated`, `low`, `high`, `actual`,
        `ratio` and `inside`, with `causes`, each a share of what was estimated, which add up to
        `ratio - 1`. Steps have `rows_in` and `rows_out` too.
    """
    planned = planned_steps(estimates)
    if not planned:
        return None
    chains = {
        step: _chains(step, expected, paid.get(step, {}), estimates)
        for step, expected in planned.items()
        if expected.spending
    }
    steps = {
        name: _step(expected, accounts[name], paid.get(name, {}), chains.get(name), complete)
        for name, expected in planned.items()
        if name in accounts
    }
    made: dict[str, Any] = {"complete": complete, "steps": steps}
    if chains:
        actual = [_spent(paid.get(step, {})) for step in chains]
        whole = {q: _added([a[q] for a in actual]) for q in QUANTITIES}
        every = [c for found in chains.values() for c in found or ()]
        known = all(found is not None for found in chains.values())
        made["total"] = _amounts(
            planned_total(estimates), whole, every if known else None, complete
        )
    return made


def _step(
    expected: Planned,
    account: Mapping[str, Any],
    paid: Mapping[str, Any],
    chains: Sequence[Chain] | None,
    complete: bool,
) -> dict[str, Any]:
    came = account["in"] - account["pending"]
    came -= sum(account["rejected"].get(reason, 0) for reason in NOT_LET_IN)
    made = {
        "rows_in": _compared(expected.rows_in, came, complete),
        "rows_out": _compared(expected.rows_out, account["out"], complete),
    }
    if expected.spending:
        made |= _amounts(expected.spending, _spent(paid), chains, complete)
    return made


def _amounts(
    expected: Amounts,
    actual: Mapping[Quantity, float | None],
    chains: Sequence[Chain] | None,
    complete: bool,
) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for quantity in QUANTITIES:
        number, spent = expected.get(quantity, UNKNOWN), actual[quantity]
        if quantity not in expected and not spent:
            continue
        slack = ROUNDED if quantity in COUNTS else 1e-9
        made[quantity] = _compared(number, spent, complete, slack)
        if chains is not None and number.value and spent is not None:
            causes = causes_of(quantity, chains, number.value, spent)
            if causes is not None:
                made[quantity]["causes"] = causes
    return made


def _compared(
    number: Number, actual: float | None, complete: bool, slack: float = ROUNDED
) -> dict[str, Any]:
    value = number.value
    ratio = actual / value if actual is not None and value else None
    return {
        "estimated": value,
        "low": number.low,
        "high": number.high,
        "basis": number.basis,
        "actual": actual,
        "ratio": ratio,
        "inside": _inside(number, actual, slack) if complete else None,
    }


def _inside(number: Number, actual: float | None, slack: float) -> bool | None:
    """Whether what happened lies in the 90 % interval; None where there is none."""
    if number.value is None or actual is None:
        return None
    if number.low is not None and number.high is not None:
        return number.low - slack <= actual <= number.high + slack
    return abs(actual - number.value) <= slack if number.basis == "e" else None


def _spent(paid: Mapping[str, Any]) -> dict[Quantity, float | None]:
    models = list((paid.get("models") or {}).values())
    return {q: _added([m[q] for m in models]) for q in QUANTITIES}


def _added(values: Sequence[float | None]) -> float | None:
    return None if None in values else sum(v for v in values if v is not None)


def _chains(
    step: str, expected: Planned, paid: Mapping[str, Any], estimates: Mapping[str, Any] | None
) -> list[Chain] | None:
    """What a step's spending is made of, model by model; None where it is not all known."""
    rows = expected.rows_in.value
    if rows is None:
        return None
    rows *= 1.0 - expected.reused
    spent = paid.get("models") or {}
    by_model: Mapping[str, Amounts] = expected.by_model
    if not by_model and len(spent) < 2:  # a step of one model, in the old form
        by_model = {next(iter(spent), ""): expected.spending}
    if not by_model:
        return None
    none = dict.fromkeys((*QUANTITIES, "cached_tokens"), 0.0)
    return [
        Chain(
            rows,
            float(paid.get("rows", 0.0)),
            {q: n.value for q, n in by_model[model].items()} if model in by_model else none,
            spent.get(model, none),
            price_of(model, estimates),
        )
        for model in sorted({*by_model, *spent})
    ]
