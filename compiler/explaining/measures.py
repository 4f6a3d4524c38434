"""What steps spend, each with its column: calls, tokens in and out, hours, money."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from ..estimating.estimates import Spending
from ..estimating.numbers import UNKNOWN, Basis, Number, weakest
from ..plan import Plan
from ..quantities import show_count, show_money
from .numerals import Cell, Show, cell, range_of, show_hours


@dataclass(frozen=True, slots=True)
class Measure:
    """One kind of spending.

    Attributes:
        head: Of its column.
        long: The same where there is room.
        field: Of `Spending`, as expected.
        worst: Of `Spending`, at worst.
        cap: What a budget calls it.
        unit: After a value in a sentence; empty for money.
        show: How a value is written.
        scale: Of what is shown to what `Spending` and the budget hold.
        always: Whether its column is shown even where it is 0.
        topic: What it is a unit of, for sentences; empty where the unit says it all.
    """

    head: str
    long: str
    field: str
    worst: str
    cap: str
    unit: str
    show: Show = show_count
    scale: float = 1.0
    always: bool = True
    topic: str = ""

    def of(self, spending: Spending) -> Number:
        """What is expected."""
        return self.scaled(getattr(spending, self.field))

    def worst_of(self, spending: Spending) -> Number:
        """The worst case."""
        return self.scaled(getattr(spending, self.worst))

    def cap_of(self, caps: Mapping[str, Any]) -> float | None:
        """Where a budget stops it; None where it does not."""
        value = caps.get(self.cap)
        return None if value is None else float(value) * self.scale

    def cell(self, number: Number | None, *, spread: bool = True) -> Cell:
        """A number in its column."""
        return cell(number, self.show, spread=spread)

    def interval(self, number: Number) -> str:
        """Both ends of a number's interval; empty where there is none."""
        return range_of(*number.interval, self.show) if number.interval else ""

    def words(self, value: float) -> str:
        """A value in a sentence: `4.00B tokens out`, `$326`."""
        return f"{self.show(value)} {self.unit}".rstrip()

    def scaled(self, number: Number) -> Number:
        """A number of `Spending` in the unit of its column."""
        if self.scale == 1.0:
            return number
        value, low, high = (
            None if n is None else n * self.scale for n in (number.value, number.low, number.high)
        )
        return replace(number, value=value, low=low, high=high)


_CALLS = Measure("calls", "calls", "calls", "worst_calls", "requests", "calls")
_IN = Measure("tok in", "tokens in", "prompt_tokens", "worst_prompt", "input_tokens", "tokens in")
_OUT = Measure("tok out", "tokens out", "reply_tokens", "worst_reply", "tokens", "tokens out")
_HOURS = Measure(
    "GPU-h", "GPU-hours", "gpu_hours", "worst_hours", "gpu_hours", "GPU-h", show_hours, always=False
)
_USD = Measure("USD", "USD", "usd", "worst_usd", "usd", "", show_money, always=False)
_CLOCKS = (("hours", 1.0, 1.0), ("minutes", 60.0, 1 / 60), ("seconds", 3600.0, 0.0))
"""Units of time of this machine, each from how many hours on it is used."""


def measures_of(
    plan: Plan, spent: Iterable[Spending], total: Spending | None, caps: Mapping[str, Any]
) -> tuple[Measure, ...]:
    """What is worth a column: hours and money only where they are spent, capped or not known.

    Hours are GPU-hours, or time of this machine where its own processor is all that works.
    """
    every = [*spent, *([total] if total else [])]
    hours = _clock(plan, total) if total else _HOURS
    return tuple(
        m
        for m in (_CALLS, _IN, _OUT, hours, _USD)
        if m.always
        or m.cap_of(caps) is not None
        or any(n.value != 0 for s in every for n in (m.of(s), m.worst_of(s)))
    )


def total_of(parts: Iterable[Spending]) -> Spending:
    """A sum of spendings, unknown where one of them is.

    Intervals are added end by end: wider than those of a sum of independent numbers.
    """
    every = list(parts)
    return Spending(*(_sum([getattr(s, f.name) for s in every]) for f in fields(Spending)))


def _sum(numbers: list[Number]) -> Number:
    def ends(end: Callable[[Number], float | None]) -> float:
        return sum(n.value or 0.0 if (e := end(n)) is None else e for n in numbers)

    if any(n.value is None for n in numbers):
        return UNKNOWN
    bases: list[Basis] = [n.basis for n in numbers]
    value, basis = sum(n.value or 0.0 for n in numbers), weakest(*bases)
    if all(n.interval is None for n in numbers):
        return Number(value, basis)
    return Number(value, basis, ends(lambda n: n.low), ends(lambda n: n.high))


def _clock(plan: Plan, total: Spending) -> Measure:
    engines = {plan.models[m]["engine"] for node in plan.nodes for m in node.asked}
    if "vllm" in engines or "local" not in engines:
        return _HOURS
    known = [n.value for n in (total.gpu_hours, total.worst_hours) if n.value is not None]
    expected = next(filter(None, known), 0.0) if known else 1.0
    unit, scale, _ = next(clock for clock in _CLOCKS if expected >= clock[2])
    return replace(
        _HOURS, head=unit, long=f"{unit} of this machine", unit=unit, scale=scale, topic="time"
    )
