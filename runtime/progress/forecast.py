"""What a run will have spent at its end, from what it has spent on the rows that are done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .snapshot import Forecast, Snapshot, StepView

ENOUGH = 0.02
"""The share of a step that must be done before it says anything of the rest."""


def forecast(view: Snapshot, estimates: Mapping[str, Any]) -> Forecast:
    """Where a run is heading.

    The replies of each model step are scaled from its rows that are done to all of them; of these,
    the ledger answers what it has answered so far, or the share that `plan` found there if that is
    more. What is paid for costs as much a call as it has cost up to now.

    Args:
        view: The run as it stands.
        estimates: By step, as `Estimates.to_json` has them; empty without.
    """
    planned = _planned(estimates)
    replies: list[float] = []
    reused = 0.0
    for step in view.steps:
        guess = estimates.get(step.name) or {}
        if not step.attempts and not guess.get("calls"):
            continue
        if (whole := _replies(step, guess)) is None:
            return Forecast(planned=planned)
        replies.append(whole)
        reused += whole * float(guess.get("reused") or 0.0)
    answered = view.total("sent") - view.total("retried") - view.total("in_flight")
    if not replies or answered <= 0:
        return Forecast(planned=planned, seconds=_by_rows(view))
    held = max(reused, float(view.total("reused") + view.total("shared")))
    calls = max(sum(replies) - held, float(answered))
    tokens = view.total("completion_tokens") * calls / answered
    spent = view.spent
    made = Forecast(calls, tokens, planned, None if spent is None else spent * calls / answered)
    if view.calls_per_second:
        left = calls - answered
        made = replace(made, seconds=left / view.calls_per_second)
    return made


def _replies(step: StepView, guess: Mapping[str, Any]) -> float | None:
    """Replies that a step will have been given at its end."""
    share = step.share
    if share is not None and share >= ENOUGH and step.attempts:
        return step.attempts / share
    calls = (guess.get("calls") or {}).get("value")
    return None if calls is None else max(float(calls), float(step.attempts))


def _by_rows(view: Snapshot) -> float | None:
    """Seconds left where no model is paid: those of the slowest step."""
    left = [
        (s.total - s.rows_in) / s.rate
        for s in view.steps
        if s.total is not None and s.rate and not s.ended and s.total > s.rows_in
    ]
    return max(left, default=None)


def _planned(estimates: Mapping[str, Any]) -> float | None:
    numbers = [e["reply_tokens"] for e in estimates.values() if e.get("reply_tokens")]
    if not numbers or any(n["value"] is None for n in numbers):
        return None
    return float(sum(n["value"] for n in numbers))
