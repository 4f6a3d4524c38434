"""Draws that are not there yet: a fault of an engine or a check, or a run that stops early.

Nothing is decided on them. A group of draws with a hole is settled by the draws before it or waits
for another run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..rows import ORDER


@dataclass(frozen=True, slots=True)
class Hole:
    """The first draw of a group that is not there, and whether it is merely held back."""

    draw: int
    pending: bool


@dataclass(slots=True)
class Holes:
    """All holes of a run, by source row and by the step that left them."""

    _found: dict[int, dict[str, Hole]] = field(default_factory=dict)

    def note(self, step: str, row: Mapping[str, Any], *, pending: bool) -> None:
        """Keep that a step could not see to a row."""
        steps = self._found.setdefault(int(row.get(ORDER) or 0), {})
        draw, before = int(row.get("_draw") or 0), steps.get(step)
        if before is not None:
            draw, pending = min(draw, before.draw), pending or before.pending
        steps[step] = Hole(draw, pending)

    def first(self, order: int, scales: Mapping[str, int]) -> Hole | None:
        """The first hole of a source row as a step further on counts draws; None without one.

        Args:
            order: `_order` of the source row.
            scales: The steps that the rows come through, and how many draws there each draw that
                reaches a step becomes.
        """
        steps = self._found.get(order, {})
        found = [Hole(h.draw * scales[s], h.pending) for s, h in steps.items() if s in scales]
        if not found:
            return None
        return Hole(min(h.draw for h in found), any(h.pending for h in found))
