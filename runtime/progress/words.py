"""A snapshot in words: what the live table, plain lines and `status` share."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ...compiler.estimating.numbers import Number
from ...compiler.quantities import show_count, show_duration, show_money, show_share
from .drift import CODE
from .snapshot import ModelView, Snapshot, StepView

STOPPING = "Stopping: what is in flight finishes or is dropped in 10 s …"


def stopping(cause: str | None, message: str) -> str:
    """That a run stops, and why if it was not the user."""
    if cause in (None, "user"):
        return STOPPING
    return f"Stopping: {message.rstrip('.')}. What is in flight finishes …"


def rows(step: StepView) -> str:
    """Rows in and out: `144k → 139k`."""
    return f"{show_count(step.rows_in)} → {show_count(step.rows_out)}"


def done(step: StepView) -> str:
    """The share that is done: `36%`; nothing where the total is unknown."""
    return "" if step.share is None else f"{int(step.share * 100)}%"


def rate(step: StepView) -> str:
    """Rows a second, of late."""
    return f"{show_count(step.rate)}/s" if step.rate >= 0.05 and not step.ended else ""


def asides(step: StepView, most: int = 3) -> str:
    """Why rows were left aside, the commonest reasons first; else why replies were refused."""
    if step.rejected:
        share = sum(step.rejected.values()) / max(step.rows_in, 1)
        return f"rejected {show_share(share)}: {reasons(step.rejected, most)}"
    if step.failures:
        return f"refused {reasons(step.failures, most)}"
    return f"routed {step.routed:,}" if step.routed else ""


def errors(step: StepView) -> str:
    """How many rows ended in errors."""
    count = sum(step.errors.values())
    return f"errors {count:,}" if count else ""


def reasons(counts: Mapping[str, int], most: int = 3) -> str:
    """The commonest reasons with their counts: `facts 71, length 20, …`."""
    told = [f"{name} {count:,}" for name, count in list(counts.items())[:most]]
    return ", ".join([*told, *(["…"] if len(counts) > most else [])])


def model(view: ModelView) -> str:
    """A model's calls, and what its engine says of itself."""
    parts = [
        f"{view.name}: {view.sent - view.retried:,} calls",
        f"{view.reused + view.shared:,} from the ledger",
    ]
    if view.in_flight or view.waiting:
        parts.append(f"{view.in_flight:,} in flight")
    if view.waiting:
        parts.append(f"{view.waiting:,} waiting")
    if view.retried:
        parts.append(f"{view.retried:,} sent again")
    if view.note:
        parts.append(view.note)
    return "   ".join(parts)


def spending(view: Snapshot) -> str:
    """Spent so far, where it leads, what was planned, and how long it takes still."""
    if not view.models:
        return _eta(view.forecast.seconds)
    found = view.forecast
    parts = [f"{show_count(view.total('completion_tokens'))} tokens out{_usd(view.spent)}"]
    if view.tokens_per_second:
        parts.append(f"{show_count(view.tokens_per_second)} tok/s")
    planned = f"planned {show_count(found.planned)}" if found.planned is not None else ""
    if found.tokens is not None:
        beside = f" ({planned})" if planned else ""
        unsure = _unsure(found.whole.get("reply_tokens"))
        parts.append(f"forecast {show_count(found.tokens)}{unsure}{_usd(found.usd)}{beside}")
    elif planned:
        parts.append(planned)
    if view.budget:
        parts.append(f"budget {view.budget}")
    return "   ".join([*parts, *filter(None, [_eta(found.seconds)])])


def alarms(view: Snapshot) -> list[str]:
    """What has left the plan, as it was when it first did."""
    return [f"warning[{CODE}]: {told}" for told in view.alarms]


def _unsure(number: Number | None) -> str:
    """Half the width of an interval, as a share: ` ±4%`."""
    if number is None or not number.value or number.interval is None:
        return ""
    low, high = number.interval
    return f" ±{math.ceil((high - low) / 2 / number.value * 100)}%"


def _eta(seconds: float | None) -> str:
    """Nothing where a run is past its forecast: nobody knows then."""
    return f"eta {show_duration(seconds)}" if seconds and seconds >= 1 else ""


def _usd(amount: float | None) -> str:
    return "" if amount is None else f" {show_money(amount)}"


def line(view: Snapshot) -> str:
    """All of it on one line, for a log."""
    busy = [s for s in view.steps if s.rows_in and not s.ended] or list(view.steps)
    parts = [" ".join(filter(None, (s.name, rows(s), done(s), errors(s)))) for s in busy]
    return "   ".join(filter(None, [*parts, spending(view)]))
