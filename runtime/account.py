"""Where every row of a step went. Rejected, errors and invalid recipes are never merged."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from .outcome import Outcome, Unit


class UnbalancedError(Exception):
    """Rows were lost or made from nothing: a defect of Mashbill, never of the data."""


@dataclass(slots=True)
class Account:
    """The ledger of one step's rows.

    `in + created = out + merged + rejected + routed + errors + pending`: the last are those that a
    run that stops early leaves for the next.
    """

    rows_in: int = 0
    created: int = 0
    out: int = 0
    merged: int = 0
    routed: int = 0
    pending: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)
    """Chunks or samples by how they ended."""
    failures: Counter[str] = field(default_factory=Counter)
    """Failed attempts by reason."""
    attempts: int = 0

    def add(self, outcomes: tuple[Outcome, ...]) -> None:
        """Count what came of one row."""
        self.rows_in += 1
        self.created += sum(max(len(o.rows), 1) for o in outcomes) - 1
        for outcome in outcomes:
            match outcome.end:
                case "out":
                    self.out += len(outcome.rows)
                case "rejected":
                    self.rejected[outcome.reason] += 1
                case "routed":
                    self.routed += 1
                case "error":
                    self.errors[outcome.reason] += 1
                case "pending":
                    self.pending += 1
            for unit in outcome.units:
                self._unit(unit)

    def _unit(self, unit: Unit) -> None:
        self.units[unit.end] += 1
        self.attempts += sum(1 for a in unit.attempts if a.key)
        for attempt in unit.attempts:
            came = not attempt.key and attempt.failed != "overlong"  # a row that nobody replied to
            if attempt.failed and not came:
                self.failures[attempt.reason] += 1

    def check(self, step: str) -> None:
        """Assert the accounting identity.

        Raises:
            UnbalancedError: It does not hold.
        """
        given = self.rows_in + self.created
        gone = self.out + self.merged + self.routed + self.pending
        gone += self.rejected.total() + self.errors.total()
        if given != gone:
            raise UnbalancedError(f"{step}: {given} rows in, {gone} accounted for: {self}")

    def to_json(self) -> dict[str, Any]:
        """As the run record holds it."""
        return {
            "in": self.rows_in,
            "created": self.created,
            "out": self.out,
            "merged": self.merged,
            "routed": self.routed,
            "pending": self.pending,
            "rejected": dict(self.rejected.most_common()),
            "errors": dict(self.errors.most_common()),
            "units": dict(self.units.most_common()),
            "failures": dict(self.failures.most_common()),
            "attempts": self.attempts,
        }
