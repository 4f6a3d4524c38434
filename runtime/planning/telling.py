"""A plan as it is told: for the terminal, for a pull request, as JSON; and what it is worth."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...compiler.estimating.estimates import Estimates
from ...compiler.estimating.reading import read_estimates
from ...compiler.meaning import Meaning
from ...compiler.plan import Plan as PlanRecord

if TYPE_CHECKING:
    from ...compiler.explaining import Last, PilotSpent
    from ...compiler.worth import Worth
    from ..api import Plan
    from ..piloting.pilot import Pilot
    from ..project import Project
    from .saved_plan import SavedPlan


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a plan.

    Attributes:
        plan: What would run.
        estimates: None where nothing was measured.
        last: The last run to compare with.
        meaning: What decides its results.
        missing: Models that are not here, and what to type.
        lock: What to say of the lock.
        selected: Steps to tell and to sum; None for all.
        pilot: What a pilot has just sent.
        worth: What its data is worth; None where nobody asked or nothing was measured.
    """

    plan: PlanRecord
    estimates: Estimates | None = None
    last: Last | None = None
    meaning: Meaning | None = None
    missing: Mapping[str, str] = field(default_factory=dict)
    lock: str = ""
    selected: Collection[str] | None = None
    pilot: PilotSpent | None = None
    worth: Worth | None = None

    def text(self, width: int = 80, *, verbose: bool = False, value: bool = False) -> str:
        """For the terminal; `value` tells all of what it is worth, not two lines."""
        from ...compiler.explaining import explain

        told = explain(
            self.plan,
            self.estimates,
            **self._given,
            worth_lines=() if value else self._summary,
            width=width,
            verbose=verbose,
        )
        if not (value and self.worth):
            return told
        from ...compiler.worth import worth_text

        return "\n".join([told, "", *worth_text(self.worth, width)])

    def markdown(self, *, verbose: bool = False, value: bool = False) -> str:
        """For a pull request."""
        from ...compiler.explaining import markdown

        told = markdown(
            self.plan, self.estimates, **self._given, worth_lines=self._summary, verbose=verbose
        )
        if not (value and self.worth):
            return told
        from ...compiler.worth import worth_text

        return "\n".join([told.rstrip("\n"), "", "```text", *worth_text(self.worth, 100), "```"])

    def to_json(self) -> dict[str, Any]:
        """As `schemas/plan.schema.json` has it."""
        from ...compiler.explaining import plan_json

        worth = self.worth.to_json() if self.worth else None
        return plan_json(self.plan, self.estimates, **self._given, worth=worth)

    @property
    def _given(self) -> dict[str, Any]:
        return {
            "last": self.last,
            "missing": self.missing,
            "meaning": self.meaning,
            "lock": self.lock,
            "selected": self.selected,
            "pilot": self.pilot,
        }

    @property
    def _summary(self) -> list[str]:
        if self.worth is None:
            return []
        from ...compiler.worth import worth_summary

        return worth_summary(self.worth)


def told(
    plan: Plan,
    *,
    selected: Collection[str] | None = None,
    worth: bool = False,
    student: float | None = None,
) -> Told:
    """A plan as it is told.

    Args:
        plan: Measured or not.
        selected: Steps to tell and to sum; None for all.
        worth: Whether to find out what its data is worth.
        student: Parameters of the model to be trained on it; None for what is usual.
    """
    estimates = estimates_of(plan)
    found = None
    if worth and estimates and selected is None:
        found = worth_of(plan.record, estimates, plan.recipe.project, student)
    return Told(
        plan.record,
        estimates,
        plan.before(),
        plan.meaning,
        plan.missing,
        plan.lock.words() if plan.lock else "",
        selected,
        pilot_spent(plan.piloted),
        found,
    )


def told_as_saved(
    saved: SavedPlan, now: Plan | None, *, worth: bool = False, student: float | None = None
) -> Told:
    """A saved plan as it is told, and if its recipe still compiles, beside the last run."""
    estimates = read_estimates(saved.estimates)
    found = None
    if now is not None and estimates and (worth or saved.plan.mix is not None):
        found = worth_of(saved.plan, estimates, now.recipe.project, student)
    return Told(
        saved.plan,
        estimates,
        now.before() if now else None,
        saved.meaning,
        lock=f"lock of {len(saved.lock)} pins" if saved.lock else "",
        worth=found,
    )


def estimates_of(plan: Plan) -> Estimates | None:
    """What was measured for a plan, or stands in the file that it was loaded from."""
    return plan.estimates or read_estimates(plan.quoted)


def worth_of(
    plan: PlanRecord, estimates: Estimates, project: Project, student: float | None = None
) -> Worth:
    """What the data of a plan is worth, by what was calibrated here."""
    from ...compiler.worth import worth
    from ..calibration.store import gate_rates

    return worth(plan, estimates, student=student, gates=gate_rates(plan, project))


def pilot_spent(piloted: Pilot | None) -> PilotSpent | None:
    """What a pilot has sent, for the legend."""
    if piloted is None:
        return None
    from ...compiler.explaining import PilotSpent

    rows = max(piloted.reached.values(), default=piloted.documents)
    return PilotSpent(rows, piloted.sent, piloted.usd)
