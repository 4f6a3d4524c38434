"""Breakers: stop when the rows of a step go wrong, and stop at the same row whatever comes first.

Rows are counted in the order in which the step took them. A breaker looks at the longest prefix of
that order in which every row is done, at each of its lengths in turn; so neither the order of
replies nor how many are in flight decides whether it trips, or at which row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ...compiler.expr import Expr, columns_read, parse_expr
from ...compiler.quantities import show_share
from ...compiler.rates import RATES, value_of

End = Literal["accepted", "rejected", "truncated", "errors"]
USUAL: tuple[Mapping[str, Any], ...] = ({"after": 500, "when": "errors > 0.5", "step": None},)
"""What a recipe without breakers has, for every model step."""


@dataclass(frozen=True, slots=True)
class Trip:
    """Why the run should stop; the sentence is for the user."""

    step: str
    rows: int
    when: str
    sentence: str


@dataclass(frozen=True, slots=True)
class _Breaker:
    after: int
    when: str
    expr: Expr

    def trips(self, rates: Mapping[str, float]) -> bool:
        return value_of(self.expr, rates) is True


@dataclass(slots=True)
class _Step:
    """The rows of one step: how the prefix ended, and what is done beyond it."""

    breakers: tuple[_Breaker, ...]
    rows: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(RATES, 0))
    beyond: dict[int, End] = field(default_factory=dict)


@dataclass(slots=True)
class Breakers:
    """The breakers of a run. The first that trips stands."""

    steps: dict[str, _Step] = field(default_factory=dict)
    tripped: Trip | None = None

    @classmethod
    def of(cls, budget: Mapping[str, Any] | None, steps: Sequence[str]) -> Breakers:
        """Of a plan's budget, for its model steps, and others that a breaker names."""
        named = budget.get("breakers") if budget else None
        listed = USUAL if named is None else named
        found: dict[str, list[_Breaker]] = {}
        for breaker in listed:
            expr, _ = parse_expr(breaker["when"])
            if expr is None:
                raise ValueError(f"no expression: {breaker['when']}")
            one = _Breaker(int(breaker["after"]), breaker["when"], expr)
            for step in [breaker["step"]] if breaker.get("step") else steps:
                found.setdefault(step, []).append(one)
        return cls({step: _Step(tuple(own)) for step, own in found.items()})

    def observe(self, step: str, index: int, end: str, reason: str = "") -> Trip | None:
        """Note how a row ended.

        Args:
            step: The step.
            index: The row's place in the order in which the step took its rows, from 0.
            end: `out`, `routed`, `rejected` or `error`, as an `Outcome` says it.
            reason: Of a rejection; `truncated` counts apart too.

        Returns:
            The breaker that trips, the first time one does.
        """
        state = self.steps.get(step)
        if state is None or self.tripped is not None:
            return None
        if index < state.rows:
            raise ValueError(f"row {index} of {step} is done already")
        state.beyond[index] = _END.get(end, "accepted") if reason != "truncated" else "truncated"
        while (done := state.beyond.pop(state.rows, None)) is not None:
            state.rows += 1
            state.counts[done] += 1
            if done == "truncated":
                state.counts["rejected"] += 1
            if (trip := _look(step, state)) is not None:
                self.tripped = trip
                return trip
        return None


_END: Mapping[str, End] = {"out": "accepted", "rejected": "rejected", "error": "errors"}


def _look(step: str, state: _Step) -> Trip | None:
    if all(state.rows < breaker.after for breaker in state.breakers):
        return None
    rates = {name: count / state.rows for name, count in state.counts.items()}
    for breaker in state.breakers:
        if state.rows >= breaker.after and breaker.trips(rates):
            return Trip(step, state.rows, breaker.when, _sentence(step, state, breaker, rates))
    return None


def _sentence(step: str, state: _Step, breaker: _Breaker, rates: Mapping[str, float]) -> str:
    read = [name for name in RATES if name in columns_read(breaker.expr)]
    shares = ", ".join(f"{name} {show_share(rates[name])}" for name in read)
    return (
        f"Stopped by a breaker: of the first {state.rows:,} rows of `{step}` {shares} "
        f"(budget.breakers: {breaker.when})"
    )
