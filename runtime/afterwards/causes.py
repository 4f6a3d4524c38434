"""What the error of an estimate is owed to: rows, calls a row, tokens a call, price, throughput."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ...compiler.estimating.facts import Price
from ..planning.planned import Quantity
from .divisia import split

CAUSES: Mapping[str, str] = {
    "rows": "rows",
    "calls": "calls a row",
    "prompt": "tokens in a call",
    "reply": "tokens out a call",
    "price": "price",
    "throughput": "throughput",
}
"""Causes in words."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Rows become calls, calls tokens, and tokens money and hours: of one model at one step.

    Attributes:
        rows: Rows to be paid for, as expected.
        rows_paid: Rows that were paid for.
        expected: What was expected, by quantity.
        actual: What was spent, as the record holds it.
        price: What a token was taken to cost; None where that is not known, or nothing.
    """

    rows: float
    rows_paid: float
    expected: Mapping[Quantity, float | None]
    actual: Mapping[str, Any]
    price: Price | None


def causes_of(
    quantity: Quantity, chains: Sequence[Chain], estimated: float, actual: float
) -> dict[str, float] | None:
    """The error by cause, each as a share of what was estimated; they add up to all of it.

    Args:
        quantity: Of what.
        chains: All that it is made of.
        estimated: What was expected of all of them; above zero.
        actual: What was spent.

    Returns:
        By cause, in the order of `CAUSES`; None where a part of it was not known.
    """
    found: dict[str, float] = {}
    for chain in chains:
        shares = _shares(quantity, chain)
        if shares is None:
            return None
        for name, share in shares.items():
            found[name] = found.get(name, 0.0) + share
    # An estimate of a sum is the mean of its own draws: it may be off the sum of its parts by what
    # rounding leaves, and that is owed to nothing.
    rest = actual - estimated - sum(found.values())
    if found and abs(rest) > 1e-9 * max(actual, estimated):
        found["rows"] = found.get("rows", 0.0) + rest
    return {name: found[name] / estimated for name in CAUSES if name in found}


_PATHS: Mapping[Quantity, tuple[Quantity, ...]] = {
    "calls": ("calls",),
    "prompt_tokens": ("calls", "prompt_tokens"),
    "reply_tokens": ("calls", "reply_tokens"),
    "gpu_hours": ("calls", "reply_tokens", "gpu_hours"),
}
"""What stands behind rows on the way to a quantity."""


def _shares(quantity: Quantity, chain: Chain) -> dict[str, float] | None:
    if quantity == "usd":
        return _dollars(chain)
    then, now = _tokens(quantity, chain)
    if None in then:
        return None
    names = {
        "calls": ("rows", "calls"),
        "prompt_tokens": ("rows", "calls", "prompt"),
        "reply_tokens": ("rows", "calls", "reply"),
        "gpu_hours": ("rows", "calls", "reply", "throughput"),
    }[quantity]
    return _split(names, [v for v in then if v is not None], now)


def _tokens(quantity: Quantity, chain: Chain) -> tuple[list[float | None], list[float]]:
    """The amounts on the way to a quantity, as expected and as they were."""
    path = _PATHS[quantity]
    then = [chain.rows, *(chain.expected.get(q) for q in path)]
    now = [chain.rows_paid, *(float(chain.actual[q]) for q in path)]
    if not now[0] and now[1]:  # a run that paused before the first of its rows was done
        now[0] = now[1] * chain.rows / then[1] if then[1] else now[1]
    return then, now


def _split(names: Sequence[str], then: Sequence[float], now: Sequence[float]) -> dict[str, float]:
    """The change of the last of several amounts, each a multiple of the one before."""
    before, after = _factors(then), _factors(now)
    for place, (old, new) in enumerate(zip(before, after, strict=True)):
        # Nothing of nothing is no rate: it is taken to be what it is on the other side.
        before[place] = new if old is None else old
        after[place] = old if new is None else new
    return split(
        {n: v or 0.0 for n, v in zip(names, before, strict=True)},
        {n: v or 0.0 for n, v in zip(names, after, strict=True)},
    )


def _factors(amounts: Sequence[float]) -> list[float | None]:
    """The first amount, and each further one by the one before it; None where that is none."""
    found: list[float | None] = [amounts[0]]
    for above, amount in pairwise(amounts):
        found.append(amount / above if above else None)
    return found


def _dollars(chain: Chain) -> dict[str, float] | None:
    """Of money: by the tokens where they have a price, by the hours else."""
    expected, spent = chain.expected.get("usd"), chain.actual["usd"]
    if expected is None or spent is None:
        return None
    if not expected and not spent:
        return {}
    price = chain.price
    if price is None:
        then, now = _tokens("gpu_hours", chain)
        if None in then:
            return None
        names = ("rows", "calls", "reply", "throughput", "price")
        return _split(names, [*(v for v in then if v is not None), expected], [*now, float(spent)])
    found: dict[str, float] = {}
    parts: tuple[tuple[Quantity, str, float], ...] = (
        ("prompt_tokens", "prompt", price.input),
        ("reply_tokens", "reply", price.output),
    )
    # What a prefix cache was taken to spare is not told apart from the rest: all tokens were taken
    # to be cheaper by as much.
    listed = sum((chain.expected.get(q) or 0.0) * each for q, _, each in parts)
    scale = expected / listed if listed else 1.0
    cached = float(chain.actual.get("cached_tokens") or 0.0)
    known = price.input if price.cached_input is None else price.cached_input
    for quantity, name, each in parts:
        then, now = _tokens(quantity, chain)
        if None in then:
            return None
        amounts = [v for v in then if v is not None]
        cost = now[-1] * each
        if name == "prompt":
            cost -= cached * (price.input - known)
        shares = _split(
            ("rows", "calls", name, "price"), [*amounts, amounts[-1] * each * scale], [*now, cost]
        )
        for cause, share in shares.items():
            found[cause] = found.get(cause, 0.0) + share
    return found
