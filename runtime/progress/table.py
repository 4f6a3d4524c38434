"""The table of a run on a terminal: a line a step, then models, spending and what is going on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import words
from .snapshot import Snapshot, StepView

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

BAR = 10
"""Cells of a step's bar, where there is room for one …"""
ROOM_FOR_BARS = 100
"""… which is on a terminal of so many columns."""


def picture(view: Snapshot, width: int, *, height: int | None = None, stopping: str = "") -> Group:
    """A snapshot to print with rich.

    Args:
        view: The snapshot.
        width: Columns of the terminal; no line is wider.
        height: Its lines; steps that do not fit are left out, those at work last. None for all.
        stopping: That and why the run stops, if it does.
    """
    from rich.console import Group
    from rich.text import Text

    below = [words.model(m) for m in view.models]
    if view.passes > 1:
        below.append(f"pass {view.passes} over what was rejected")
    below.append(words.spending(view))
    below += words.alarms(view)
    if stopping:
        below.append(stopping)
    shown = view.steps
    if height is not None and len(shown) > (room := max(height - len(below) - 2, 3)):
        idle = [s for s in shown if s.ended or not s.rows_in]
        left_out = {
            s.name for s in (idle + [s for s in shown if s not in idle])[: len(shown) - room]
        }
        shown = tuple(s for s in shown if s.name not in left_out)
        below.insert(0, f"… {len(left_out)} more steps")
    lines = [Text(f" {line}", no_wrap=True, overflow="ellipsis") for line in below if line]
    if stopping:
        lines[-1].stylize("bold")
    return Group(steps(shown, width), *lines)


def steps(views: Sequence[StepView], width: int) -> Table:
    """The table of steps alone."""
    from rich.table import Column, Table
    from rich.text import Text

    bars = width >= ROOM_FOR_BARS
    most = {0: max(width // 4, 12)}
    right = {2 + bars, 3 + bars}
    columns = [
        Column(
            no_wrap=True,
            overflow="ellipsis",
            justify="right" if i in right else "left",
            max_width=most.get(i),
            ratio=1 if i == 5 + bars else None,
        )
        for i in range(6 + bars)
    ]
    table = Table(*columns, box=None, show_header=False, padding=(0, 1), width=width)
    for step in views:
        cells = [step.name, words.rows(step), *([bar(step)] if bars else [])]
        cells += [words.done(step), words.rate(step), words.errors(step), words.asides(step)]
        table.add_row(*(Text(cell) for cell in cells))
    return table


def bar(step: StepView) -> str:
    """How far a step is, as a bar; empty where that is unknown."""
    if step.share is None:
        return ""
    full = int(step.share * BAR)
    return "█" * full + "░" * (BAR - full)
