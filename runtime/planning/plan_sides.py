"""The two sides of `plan --compare`: a plan, and a run or a git revision that it is held against.

Nothing is checked out: a revision's recipe is read from git's objects, a run's plan from its
folder. Both are estimated on the data as it is now, the rows of sources as the run had them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...compiler.comparing import Subject, compare_costs
from ...compiler.comparison import Comparison
from ...compiler.estimating.facts import Facts
from ...compiler.meaning import Meaning, meaning_of
from ...compiler.plan import Plan as PlanRecord
from ...compiler.quantities import show_count, show_money
from ...compiler.world import Pins
from ..api import Plan
from ..catalog import load_catalog
from ..pins import find_pins
from ..project import Project
from ..revisions import RevisionError, find_revision
from ..runs import RunFolder
from ..sides import RUN, SideError, compile_revision
from .partway import early


def compare_plans(plan: Plan, name: str) -> Comparison:
    """What the change costs from a run or revision to a plan.

    Args:
        plan: The side after.
        name: `r-0004`, `HEAD~1`, `main:path/recipe.yaml`.

    Raises:
        RecipeError: The recipe of that revision does not compile.
        SideError: There is no such run or revision, or it cannot be estimated.
    """
    project = plan.recipe.project
    if plan.missing:
        raise SideError("; ".join(plan.missing.values()))
    facts = plan.facts or measured(plan.record, project)
    new = Subject(str(project.recipe.name), plan.record, plan.meaning, facts)
    notes: tuple[str, ...] = ()
    if RUN.fullmatch(name):
        old, notes = _run(name, project, new.meaning)
    else:
        old = _revision(name, plan)
    from ...compiler.estimating.propagate import estimate

    return compare_costs(old, new, ahead=estimate(plan.record, facts).total, notes=notes)


def measured(plan: PlanRecord, project: Project) -> Facts:
    """All facts that a plan is estimated by."""
    from .measuring import measure

    return measure(plan, project).facts


# -- a run


def _run(name: str, project: Project, now: Meaning) -> tuple[Subject, tuple[str, ...]]:
    folder = RunFolder(project.state / "runs" / name)
    record, meaning = folder.record(), folder.meaning()
    try:
        plan = PlanRecord.load((folder.path / "plan.json").read_text("utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        shown = project.shown_path(project.state / "runs")
        raise SideError(f"there is no run {name} in {shown} that can be read") from error
    if record is None or meaning is None:
        raise SideError(f"run {name} has left no record: it was killed, or runs still")
    facts = _estimable(plan, project, name)
    data, words = _as_it_was(facts, record, meaning, now)
    step = early(plan.recipe)
    short = [f"{name} ended after `{step}`, as asked: what follows counts as new."] if step else []
    return Subject(name, plan, meaning, data), (_spent(name, record), *words, *short)


def _estimable(plan: PlanRecord, project: Project, name: str) -> Facts:
    """Facts of a plan that this machine may not be able to run any more."""
    from ...compiler.diagnostics import RecipeError
    from ..faults import RunError
    from ..requests import EngineError
    from ..sources.remote import RemoteError

    try:
        return measured(plan, project)
    except (EngineError, KeyError, OSError, RecipeError, RemoteError, RunError) as error:
        raise SideError(f"the plan of {name} cannot be estimated here: {error}") from error


def _as_it_was(
    facts: Facts, record: Mapping[str, Any], then: Meaning, now: Meaning
) -> tuple[Facts, tuple[str, ...]]:
    """Sources that have changed since, with as many rows as the run has read of them."""
    sources, words = dict(facts.sources), list[str]()
    for name, source in facts.sources.items():
        before, after = then.steps.get(name), now.steps.get(name)
        account = record.get("steps", {}).get(name)
        same = before and after and before.fingerprint == after.fingerprint
        if same or not account or record.get("status") != "done" or not source.rows:
            continue
        rows = float(account["in"]) - sum(account.get("errors", {}).values())
        sources[name] = replace(
            source,
            rows=rows,
            size=source.size * rows / source.rows,
            rows_spread=0.0,
            exact=source.exact,
        )
        words.append(f"{name} had {show_count(rows)} rows then.")
    if not words:
        return facts, ()
    nodes = {name: replace(seen, whole=False) for name, seen in facts.nodes.items()}
    return replace(facts, sources=sources, nodes=nodes), tuple(words)


def _spent(name: str, record: Mapping[str, Any]) -> str:
    """What a run has really sent."""
    models = record.get("models", {}).values()
    sent, prompt, reply = (
        sum(int(m.get(k) or 0) for m in models)
        for k in ("sent", "prompt_tokens", "completion_tokens")
    )
    priced = [m["usd"] for m in models if m.get("usd") is not None]
    usd = f", {show_money(sum(priced))}" if priced else ""
    reused = sum(int(m.get("reused") or 0) for m in models)
    more = f"; {show_count(reused)} calls were in the ledger before" if reused else ""
    return (
        f"{name} sent {show_count(sent)} calls, {show_count(prompt)} tokens in and "
        f"{show_count(reply)} out{usd}{more}."
    )


# -- a git revision


def _revision(name: str, plan: Plan) -> Subject:
    """The recipe at a revision, under the profile and settings of the plan."""
    recipe = plan.recipe
    try:
        revision = find_revision(recipe.project, name)
    except RevisionError as error:
        raise SideError(str(error)) from error
    if revision is None:
        raise SideError(f"{name} is no git revision and no run (r-0001)")
    compiled = compile_revision(revision, Pins(), recipe.profile, recipe.sets)
    assert compiled.plan is not None
    pins, missing = find_pins(compiled.plan, recipe.project)
    if missing:
        raise SideError(f"{name} cannot be estimated here: {'; '.join(missing.values())}")
    compiled = compile_revision(revision, pins, recipe.profile, recipe.sets)
    assert compiled.plan is not None
    meaning = meaning_of(compiled.plan, compiled.graph, load_catalog())
    facts = _estimable(compiled.plan, recipe.project, name)
    return Subject(name, compiled.plan, meaning, facts)
