"""Looks at a run now and then, and says how fast it goes and where that leads."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..budget.report import line
from .forecast import forecast
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

    def look(self, execution: Execution) -> Snapshot:
        """The run as it stands."""
        estimates = (execution.estimates or {}).get("steps", {})
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
        return replace(view, forecast=forecast(view, estimates))

    def _then(self, mark: _Mark) -> _Mark:
        """The mark to compare with: the last that is `RECENT` old, or the first."""
        marks = self._marks
        marks.append(mark)
        while len(marks) > 2 and marks[1].at <= mark.at - RECENT:
            marks.popleft()
        return marks[0]


def _steps(execution: Execution, estimates: Mapping[str, Any]) -> tuple[StepView, ...]:
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
    estimates: Mapping[str, Any],
) -> tuple[float | None, bool]:
    """Rows that a step will be given, and whether that is known."""
    node = nodes[name]
    if node.inputs and all(not port and up in ended for up, port in node.inputs):
        rows = sum(accounts[up].out for up, _ in node.inputs if up in accounts)
        return float(min(rows, node.most_rows or rows)), True
    number = (estimates.get(name) or {}).get("rows_in") or {}
    return number.get("value"), number.get("basis") == "e"


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
