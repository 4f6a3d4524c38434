"""Adds a run to the history; a project whose runs are older than its history has it made first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..runs import past_runs
from .deriving import lines_of
from .lines import HISTORY, Line, append_lines, read_lines

if TYPE_CHECKING:
    from pathlib import Path

    from ...compiler.plan import Plan
    from ..runs import RunFolder


def remember(plan: Plan, state: Path, record: Mapping[str, Any]) -> None:
    """Add what a run that is done or paused showed. Raises `OSError`.

    Args:
        plan: What ran.
        state: The project's `.mashbill`.
        record: Of the run.
    """
    before = [] if (state / HISTORY).exists() else from_records(state, but=str(record["run"]))
    append_lines(state, [*before, *lines_of(plan, record)])


def recalled(state: Path) -> list[Line]:
    """All that is known, the oldest first: by the history, else by the records of runs."""
    return read_lines(state) if (state / HISTORY).exists() else from_records(state)


def from_records(state: Path, but: str = "") -> list[Line]:
    """What the records of runs say, the oldest first.

    Args:
        state: The project's `.mashbill`.
        but: A run that is left out.
    """
    return [line for run in past_runs(state) if run.id != but for line in _lines(run)]


def _lines(run: RunFolder) -> list[Line]:
    """Of one run; none where its record or plan cannot be made sense of."""
    from ...compiler.plan import Plan

    try:
        record = json.loads((run.path / "record.json").read_text("utf-8"))
        if record.get("status") not in ("done", "paused"):
            return []
        plan = Plan.load((run.path / "plan.json").read_text("utf-8"))
        return list(lines_of(plan, record))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return []
