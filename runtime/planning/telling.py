"""What is told of a plan: its estimates beside the last run, and what its data is worth."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from ...compiler.estimating.estimates import Estimates
from ...compiler.estimating.reading import read_estimates
from ...compiler.explaining import Told
from ...compiler.guarding.defaults import default_caps
from ...compiler.plan import Plan as PlanRecord

if TYPE_CHECKING:
    from ...compiler.explaining import PilotSpent
    from ...compiler.worth import Worth
    from ..api import Plan
    from ..piloting.pilot import Pilot
    from ..project import Project
    from .saved_plan import SavedPlan


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
        lock=plan.lock.words() if plan.lock else "",
        budget=default_caps(plan.record) or None,
        selected=selected,
        pilot=pilot_spent(plan.piloted),
        worth=found,
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
        budget=default_caps(saved.plan) or None,
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
