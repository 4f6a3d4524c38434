"""What is told of a plan, whichever way it is told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..estimating.estimates import Estimates
from ..meaning import Meaning
from ..plan import Plan
from .subject import Last, PilotSpent, Subject, subject_of

if TYPE_CHECKING:
    from ..worth import Worth


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a plan.

    Attributes:
        plan: What would run.
        estimates: None where nothing was measured.
        last: The last run to compare with.
        meaning: What decides the plan's results; without it the plan says, in which rewriting may
            show.
        missing: Models that are not here, and what to type.
        lock: What to say of the lock.
        budget: Caps by kind, as `Plan.budget` holds them, in its place: those that apply to a
            recipe that declares none.
        selected: Steps to tell and to sum; None for all.
        pilot: What has just been spent on real rows.
        worth: What its data is worth; None where nobody asked or nothing was measured.
    """

    plan: Plan
    estimates: Estimates | None = None
    last: Last | None = None
    meaning: Meaning | None = None
    missing: Mapping[str, str] = field(default_factory=dict)
    lock: str = ""
    budget: Mapping[str, Any] | None = None
    selected: Collection[str] | None = None
    pilot: PilotSpent | None = None
    worth: Worth | None = None

    def subject(self, *, verbose: bool = False) -> Subject:
        """Its steps, caps and columns.

        Args:
            verbose: Whether steps that are as they were, with nothing left to pay for, are shown.
        """
        return subject_of(
            self.plan,
            self.estimates,
            self.last,
            meaning=self.meaning,
            budget=self.budget,
            verbose=verbose,
            selected=self.selected,
        )

    def worth_lines(self, *, value: bool) -> list[str]:
        """What its data is worth in a line or two; nothing where all of it is told with `value`."""
        if self.worth is None or value:
            return []
        from ..worth import worth_summary

        return worth_summary(self.worth)
