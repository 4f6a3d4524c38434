"""Models that thought before they replied in a run, where its plan did not say so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...compiler.thinking import HIDDEN, SEEN, told

if TYPE_CHECKING:
    from ...compiler.plan import Plan
    from ..window import Window

CODE = "M254"


def thoughts(
    plan: Plan, windows: Mapping[str, Window], estimates: Mapping[str, Any] | None
) -> Iterator[dict[str, str]]:
    """What a run's record holds under `warnings`: `code`, `message` and `help` of each.

    Args:
        plan: What ran.
        windows: By model.
        estimates: `Estimates.to_json`.
    """
    for name, window in windows.items():
        stats = window.stats
        replies = stats.sent - stats.retried - stats.failed
        if replies < SEEN or not stats.completion_tokens or _known(name, estimates):
            continue
        share = stats.hidden_tokens / stats.completion_tokens
        if said := told(name, plan.models[name], share, "in this run"):
            yield {"code": CODE, "message": said[0], "help": said[1]}


def _known(model: str, estimates: Mapping[str, Any] | None) -> bool:
    """Whether the plan's own replies said it."""
    steps = (estimates or {}).get("steps", {}).values()
    return any((s.get("hidden") or {}).get(model, 0.0) >= HIDDEN for s in steps)
