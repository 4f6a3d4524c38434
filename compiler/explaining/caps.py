"""What a budget caps, against what is expected and against the worst case."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..estimating.estimates import Spending
from ..estimating.numbers import Number
from ..quantities import show_duration
from .measures import Measure
from .subject import Subject


@dataclass(frozen=True, slots=True)
class Cap:
    """A cap and what it is estimated to be charged with.

    Attributes:
        path: What the user writes: `budget.usd`, `budget.steps.book.tokens`.
        measure: What it caps.
        limit: Where it stops the run, in the unit of its column.
        spending: Of the whole plan, or of its step.
    """

    path: str
    measure: Measure
    limit: float
    spending: Spending

    @property
    def expected(self) -> Number:
        """What it is expected to be charged with."""
        return self.measure.of(self.spending)

    @property
    def worst(self) -> Number:
        """What it is charged with at worst."""
        return self.measure.worst_of(self.spending)


def caps_of(subject: Subject) -> Iterator[Cap]:
    """All caps that something can be said of: of the plan, then of its steps."""
    if subject.total is None:
        return
    if not subject.selected:
        yield from _caps(subject, subject.caps, subject.total, "budget")
    steps = {s.name: s.spending for s in subject.steps if s.spending}
    for name, caps in (subject.caps.get("steps") or {}).items():
        spending = steps.get(subject.plan.aliases.get(name, name))
        if spending is not None:
            yield from _caps(subject, caps, spending, f"budget.steps.{name}")


def exceeded(subject: Subject) -> Iterator[str]:
    """Which caps are exceeded, and what happens then."""
    caps = list(caps_of(subject))
    if over := [c for c in caps if _above(c.expected, c.limit)]:
        yield f"Expected exceeds {_list(over, lambda c: c.expected)}: the run stops short there."
    elif over := [c for c in caps if _above(c.worst, c.limit)]:
        first = "there" if len(over) == 1 else "at the first one reached"
        yield f"Worst case exceeds {_list(over, lambda c: c.worst)}: the run pauses {first}."


def others(subject: Subject) -> str:
    """Caps that have no place in the table: of time, and of steps."""
    if subject.selected:
        return ""
    wall = subject.caps.get("wall")
    told = [] if wall is None else [f"{show_duration(wall)} of time"]
    for cap in caps_of(subject):
        if cap.path.startswith("budget.steps."):
            step = cap.path.split(".")[2]
            told.append(f"{cap.measure.words(cap.limit)} of {step}")
    return f"also capped: {', '.join(told)}" if told else ""


def _caps(
    subject: Subject, caps: Mapping[str, Any], spending: Spending, path: str
) -> Iterator[Cap]:
    for measure in subject.measures:
        limit = measure.cap_of(caps)
        if limit is not None:
            yield Cap(f"{path}.{measure.cap}", measure, limit, spending)


def _above(number: Number, limit: float) -> bool:
    return number.value is not None and number.value > limit


def _list(caps: list[Cap], of: Callable[[Cap], Number]) -> str:
    told = [
        f"{c.measure.show(of(c).value or 0.0)} > {c.measure.words(c.limit)}"
        + (f" of {c.path.split('.')[2]}" if c.path.startswith("budget.steps.") else "")
        for c in caps
    ]
    return f"{len(caps)} cap{'s' * (len(caps) > 1)} ({', '.join(told)})"
