"""Looks at a run now and then, and says how fast it goes and where that leads."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..afterwards import spent_by_step
from ..budget.report import line
from ..cohort import Sight
from ..planning.planned import QUANTITIES, Planned, planned_steps, planned_total, price_of
from .drift import drifted
from .forecast import Seen, forecast
from .money import cost
from .snapshot import ModelView, Snapshot, StepView

if TYPE_CHECKING:
    from ..account import Account
    from ..execution import Execution

RECENT = 10.0
"""Seconds that rates are taken over."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """Counts at a moment."""

    at: float
    rows: Mapping[str, int]
    calls: int
    tokens: int


@dataclass(slots=True)
class Meter:
    """One onlooker of a run; each has its own, since rates rest on what it saw before."""

    _marks: deque[_Mark] = field(default_factory=deque)
    _alarms: dict[str, str] = field(default_factory=dict)
    """What was said of quantities that left the plan's interval, when they first did."""

    def look(self, execution: Execution) -> Snapshot:
        """The run as it stands."""
        estimates = planned_steps(execution.estimates)
        steps, models = _steps(execution, estimates), _models(execution)
        mark = _Mark(
            time.monotonic(),
            {s.name: s.rows_in for s in steps},
            sum(m.sent - m.in_flight for m in models),
            sum(m.completion_tokens for m in models),
        )
        then = self._then(mark)
        span = max(mark.at - then.at, 1e-9)
        whole = then is mark

        def rate(now: int, before: int) -> float:
            return 0.0 if whole else max(now - before, 0) / span

        steps = tuple(replace(s, rate=rate(s.rows_in, then.rows.get(s.name, 0))) for s in steps)
        now = time.time()
        view = Snapshot(
            run=execution.folder.id,
            recipe=str(execution.plan.recipe["name"]),
            time=now,
            seconds=max(now - execution.started, 0.0),
            passes=execution.passes,
            steps=steps,
            models=models,
            tokens_per_second=rate(mark.tokens, then.tokens),
            calls_per_second=rate(mark.calls, then.calls),
            budget=line(execution.purse),
        )
        ahead = forecast(view, execution.plan.nodes, estimates, _seen(execution))
        view = replace(view, forecast=ahead)
        for quantity, told in drifted(view, planned_total(execution.estimates)).items():
            self._alarms.setdefault(quantity, told)
        return replace(view, alarms=tuple(self._alarms.values()))

    def _then(self, mark: _Mark) -> _Mark:
        """The mark to compare with: the last that is `RECENT` old, or the first."""
        marks = self._marks
        marks.append(mark)
        while len(marks) > 2 and marks[1].at <= mark.at - RECENT:
            marks.popleft()
        return marks[0]


def _steps(execution: Execution, estimates: Mapping[str, Planned]) -> tuple[StepView, ...]:
    pipeline = execution.pipeline
    if pipeline is None:
        return ()
    accounts = dict(pipeline.accounts)
    ended = frozenset(pipeline.ended)
    nodes = {n.name: n for n in execution.plan.nodes}
    views = []
    for name, account in accounts.items():
        total, exact = _expected(name, nodes, accounts, ended, estimates)
        known = {"total": total, "exact": exact, "ended": name in ended}
        views.append(StepView.of(name, account.to_json(), **known))
    return tuple(views)


def _expected(
    name: str,
    nodes: Mapping[str, Any],
    accounts: Mapping[str, Account],
    ended: frozenset[str],
    estimates: Mapping[str, Planned],
) -> tuple[float | None, bool]:
    """Rows that a step will be given, and whether that is known."""
    node = nodes[name]
    if node.inputs and all(not port and up in ended for up, port in node.inputs):
        rows = sum(accounts[up].out for up, _ in node.inputs if up in accounts)
        return float(min(rows, node.most_rows or rows)), True
    number = estimates.get(name, Planned()).rows_in
    return number.value, number.basis == "e"


def _seen(execution: Execution) -> dict[str, Seen]:
    """What steps have done so far."""
    if execution.pipeline is None:
        return {}
    plan, cohorts = execution.plan, execution.pipeline.cohorts
    found = {}
    for name, paid in spent_by_step(
        plan, dict(execution.windows), dict(cohorts), execution.estimates
    ).items():
        models = paid["models"]
        spent = {
            q: None
            if any(m[q] is None for m in models.values())
            else sum(m[q] for m in models.values())
            for q in QUANTITIES
        }
        sight = cohorts[name].sight(time.monotonic()) if name in cohorts else Sight()
        found[name] = Seen(sight, spent, _prompt_share(execution, models))
    return found


def _prompt_share(execution: Execution, models: Mapping[str, Any]) -> float:
    """Share of the money that prompts cost."""
    prompts = whole = 0.0
    for model, paid in models.items():
        if paid["usd"] and (price := price_of(model, execution.estimates, execution.plan)):
            prompts += paid["usd"] - paid["reply_tokens"] * price.output
            whole += paid["usd"]
    return min(max(prompts / whole, 0.0), 1.0) if whole else 0.0


def _models(execution: Execution) -> tuple[ModelView, ...]:
    views = []
    for name, window in dict(execution.windows).items():
        stats = window.stats
        views.append(
            ModelView(
                name,
                stats.sent,
                stats.reused,
                stats.shared,
                stats.retried,
                window.in_flight,
                window.waiting,
                stats.prompt_tokens,
                stats.completion_tokens,
                cost(
                    execution.plan.models[name].get("price"),
                    stats.prompt_tokens,
                    stats.completion_tokens,
                    stats.cached_tokens,
                ),
                window.note(),
            )
        )
    return tuple(views)
