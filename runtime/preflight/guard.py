"""The guards of `mashbill run`, in the order of what they cost: budget, disk, models, a yes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from ...compiler.estimating.estimates import Estimates
from ...compiler.estimating.facts import Facts
from ...compiler.estimating.reading import read_estimates
from ...compiler.guarding.affording import affording
from ...compiler.guarding.approval import approval, spends
from .consent import RefusedError, consent
from .preflight import Preflight, preflight
from .spent import spent_before

if TYPE_CHECKING:
    from ..api import Plan


def guard(
    plan: Plan,
    *,
    go_on: str = "mashbill run",
    yes: bool = False,
    no_input: bool = False,
    over_budget: bool = False,
    replay: bool = False,
    replace: bool = False,
    shown: bool = True,
    tell: Callable[[Preflight], None] | None = None,
    stdin: TextIO | None = None,
    stderr: TextIO | None = None,
) -> Preflight:
    """Look at all that would make a run fail or cost more than was meant, before it begins.

    Args:
        plan: Measured, or loaded with what was estimated when it was saved.
        go_on: What was typed, to be typed again with more.
        yes: Whether spending was approved on the command line.
        no_input: Whether nobody may be asked.
        over_budget: Whether it may begin though its budget is not expected to be enough.
        replay: Whether it takes everything from the ledger: then nothing is asked or spent.
        replace: Whether the data set of another plan may be overwritten.
        shown: Whether the plan's warnings have been shown to the user.
        tell: Told what was found, before anyone is asked.
        stdin: Where an answer comes from; the process's own by default.
        stderr: Where a question goes, likewise.

    Raises:
        PreflightError: The run would fail.
        RefusedError: The budget is not expected to be enough, or nobody said yes.
    """
    estimates = _estimates(plan)
    if estimates is not None and not over_budget and not replay:
        _refuse_poor(plan, estimates, shown)
    facts = plan.facts if isinstance(plan.facts, Facts) else None
    found = preflight(
        plan.record,
        plan.recipe.project,
        facts,
        estimates,
        recipe=plan.compiled.recipe,
        lock=plan.lock.words() if plan.lock else "",
        ask=not replay and estimates is not None,
        replace=replace,
    )
    if tell is not None:
        tell(found)
    if estimates is not None and not replay:
        consent(
            approval(plan.record, estimates),
            yes=yes,
            no_input=no_input,
            go_on=go_on,
            stdin=stdin or sys.stdin,
            stderr=stderr or sys.stderr,
        )
    return found


def guard_pilot(
    plan: Plan,
    rows: int,
    *,
    go_on: str = "mashbill plan --pilot",
    yes: bool = False,
    no_input: bool = False,
    stdin: TextIO | None = None,
    stderr: TextIO | None = None,
) -> None:
    """Ask for a yes before a pilot that costs as much as a run that would be asked about.

    Only where something has a price is the plan measured for it.

    Args:
        plan: Not measured yet.
        rows: How many are to reach each first model step.
        go_on: As `guard` takes it, as are the others.
        yes: As above.
        no_input: As above.
        stdin: As above.
        stderr: As above.

    Raises:
        RecipeError: As `Plan.measure`.
        RefusedError: Nobody said yes.
    """
    if yes or not spends(plan.record):
        return
    plan.measure()
    assert plan.estimates is not None
    consent(
        approval(plan.record, plan.estimates, rows),
        yes=yes,
        no_input=no_input,
        go_on=go_on,
        stdin=stdin or sys.stdin,
        stderr=stderr or sys.stderr,
    )


def _estimates(plan: Plan) -> Estimates | None:
    if isinstance(plan.estimates, Estimates):
        return plan.estimates
    return read_estimates(plan.quoted) if plan.quoted else None


def _refuse_poor(plan: Plan, estimates: Estimates, shown: bool) -> None:
    """Refuse what is expected to reach a cap before its end."""
    recipe = plan.compiled.recipe
    assert recipe is not None
    spent = spent_before(plan.record, plan.recipe.project.state)
    found = affording(plan.record, recipe, estimates, spent=spent)
    short = next((d for d in found if d.code == "B554"), None)
    if short is None:
        return
    told = next((d for d in plan.warnings if d.code == "B554"), None)
    if shown and told is not None:
        raise RefusedError(
            "the budget is not expected to be enough, as shown above; "
            "to let the run pause at its cap, type --over-budget",
            "B554",
        )
    short = told or short
    notes = "".join(f"\n  {note}" for note in short.notes)
    raise RefusedError(f"{short.message}{notes}\n  {short.help}", "B554")
