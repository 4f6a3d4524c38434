"""A few units of each kind, kept to be looked at; the same few whatever finishes first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .outcome import Outcome, Unit
from .rows import uniform

KEPT = 20
SHOWN = 4_000
"""Characters that an example keeps of a text."""


@dataclass(slots=True)
class Examples:
    """Units by step and kind: `accepted`, `fallback`, and `rejected` for refused replies."""

    seed: int = 0
    _kept: dict[tuple[str, str], dict[int, dict[str, Any]]] = field(default_factory=dict)

    def observe(self, step: str, row: Mapping[str, Any], outcomes: tuple[Outcome, ...]) -> None:
        """Look at what came of a row."""
        for outcome in outcomes:
            for unit in outcome.units:
                self._unit(step, row, unit)

    def _unit(self, step: str, row: Mapping[str, Any], unit: Unit) -> None:
        if unit.end == "kept":
            return
        for attempt in unit.attempts:
            if not attempt.key:
                continue  # too long to be asked
            kind = "rejected" if attempt.failed else "accepted"
            self._keep(step, kind, row, unit, attempt.text, attempt.reason, attempt.evidence)
        if unit.end in ("fallback", "routed", "rejected") and unit.attempts:
            last = unit.attempts[-1]
            kind = unit.end if unit.end != "rejected" else "given up"
            self._keep(step, kind, row, unit, last.text, last.reason, last.evidence)

    def _keep(
        self,
        step: str,
        kind: str,
        row: Mapping[str, Any],
        unit: Unit,
        reply: str,
        reason: str,
        evidence: Mapping[str, Any],
    ) -> None:
        place = uniform(self.seed, step, kind, unit.source, reply)
        kept = self._kept.setdefault((step, kind), {})
        if len(kept) >= KEPT and place >= max(kept):
            return
        kept[place] = {
            "doc": row.get("_doc"),
            "source": _short(unit.source),
            "reply": _short(reply),
            "reason": reason,
            "evidence": dict(evidence),
        }
        if len(kept) > KEPT:
            del kept[max(kept)]

    def to_json(self) -> dict[str, dict[str, list[dict[str, Any]]]]:
        """By step and kind, in a fixed order."""
        made: dict[str, dict[str, list[dict[str, Any]]]] = {}
        for (step, kind), kept in sorted(self._kept.items()):
            made.setdefault(step, {})[kind] = [kept[k] for k in sorted(kept)]
        return made


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
