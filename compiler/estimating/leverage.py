"""The largest uncertainty of a plan, and the one action that would narrow it most.

Found by freezing: what a driver contributes is the variance that goes when it is held at its mean,
with all other draws as they were (the total-effect view of Sobol's decomposition).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ..plan import Plan
from .amounts import Amount, Amounts
from .chance import Chance, Driver, number
from .estimates import Leverage
from .facts import Facts
from .numbers import Number

if TYPE_CHECKING:
    from .chance import Array
    from .propagate import Carried

TRIED = 8
"""Drivers that are frozen one by one: those that go with the total most."""
WORTH = 0.01
"""Half the interval, as a share of the value, from which on narrowing is worth a word."""
FEWEST_PILOT, PILOT, MOST_PILOT = 16, 256, 4096
"""Rows of a first pilot, which is to cost a hundredth of the run, and most of a further one."""
LEARNT = 0.8
"""What is left of the spread of an assumption after a pilot, by the root of its rows."""
MEASURED = 0.2
"""What is left of the spread of a speed that was not measured, after one."""


def leverage(plan: Plan, facts: Facts, chance: Chance, carried: Carried) -> Leverage | None:
    """What makes the total most uncertain; None where it is certain enough."""
    import numpy as np

    whole = carried.spending()
    if whole is None:
        return None
    quantity, amount = _quantity(whole)
    if amount is None or amount.values is None:
        return _price(plan, facts)
    total = amount.values
    found = number(total, amount.basis)
    interval = found.interval
    if interval is None or (interval[1] - interval[0]) / 2 < WORTH * (found.value or 1.0):
        return None
    variance = float(np.var(total))
    moving = sorted(chance.drivers.values(), key=lambda d: -abs(_together(d[1], total)))[:TRIED]
    parts = [(driver, _frozen(plan, facts, {driver.key: 0.0}, quantity)) for driver, _ in moving]
    gone = [(driver, 1 - float(np.var(v)) / variance) for driver, v in parts if v is not None]
    if not gone:
        return None
    largest, share = max(gone, key=lambda pair: pair[1])
    action, scale = _action(largest, [d for d, _ in chance.drivers.values()], plan, carried)
    narrowed: Number | None = None
    after = _frozen(plan, facts, scale, quantity) if scale else None
    if after is not None:
        narrowed = number(after, amount.basis)
    return Leverage(
        largest.step, largest.what, largest.basis, quantity, max(share, 0.0), action, narrowed
    )


def _quantity(whole: Amounts) -> tuple[str, Amount | None]:
    """What is worth knowing: money, then GPU-hours, then tokens, then calls."""
    for name, amount in _amounts(whole).items():
        if amount.values is not None and float(amount.values.mean()) > 0:
            return name, amount
    return "calls", None


def _amounts(whole: Amounts) -> dict[str, Amount]:
    return {
        "usd": whole.usd,
        "gpu_hours": whole.hours,
        "reply_tokens": whole.reply,
        "calls": whole.calls,
    }


def _frozen(plan: Plan, facts: Facts, scale: Mapping[str, float], quantity: str) -> Array | None:
    from .propagate import carry

    whole = carry(plan, facts, Chance(scale)).spending()
    return None if whole is None else _amounts(whole)[quantity].values


def _together(one: Array, other: Array) -> float:
    import numpy as np

    spread = float(np.std(one)) * float(np.std(other))
    return float(np.mean((one - one.mean()) * (other - other.mean()))) / spread if spread else 0.0


def _action(
    largest: Driver, drivers: Iterable[Driver], plan: Plan, carried: Carried
) -> tuple[str, dict[str, float]]:
    """What to type, and what that leaves of the spread of each driver."""
    asking = {n.name for n in plan.nodes if n.asked}
    reached = max((carried.incoming[name].mean for name in asking), default=0.0)
    rows = _pilot(reached)
    learnt = {
        d.key: MEASURED if d.what == "speed" else LEARNT / rows**0.5
        for d in drivers
        if d.basis in ("a", "h")
        and (d.what == "speed" or d.step in asking or (d.what == "yield" and d.rows))
    }
    if (
        largest.what == "yield"
        and largest.basis in ("a", "s")
        and largest.step not in asking
        and (not largest.rows or largest.basis == "s")
    ):
        return f"mashbill run --until {largest.step}", {largest.key: 0.0}
    if largest.key in learnt:
        return f"mashbill plan --pilot {rows}", learnt
    if largest.basis == "p":
        return _further(list(drivers), reached)
    return "", {}


def _pilot(rows: float) -> int:
    """Rows of a first pilot, for a step of so many; never more than half of them."""
    wanted = max(FEWEST_PILOT, 1 << round(rows / 100).bit_length())
    return max(1, min(PILOT, wanted, round(rows / 2)))


def _further(drivers: list[Driver], reached: float) -> tuple[str, dict[str, float]]:
    """A pilot four times as large as the one that there was, of no more than half of the rows."""
    seen = max((d.rows for d in drivers if d.basis == "p" and d.what == "replies"), default=0)
    wanted = max(4 * FEWEST_PILOT, 1 << max(seen * 4 - 1, 1).bit_length())
    rows = min(MOST_PILOT, wanted, round(reached / 2))
    left = (seen / rows) ** 0.5 if seen and rows > seen else 1.0
    if left >= 1.0:
        return "", {}
    return f"mashbill plan --pilot {rows}", {d.key: left for d in drivers if d.basis == "p"}


def _price(plan: Plan, facts: Facts) -> Leverage | None:
    """Where money is not known, the price is what is missing."""
    model = min(facts.unpriced, default="")
    if not model:
        return None
    return Leverage(model, "price", "?", "usd", 1.0, f"set models.{model}.price", None)
