"""Whether a saved plan still holds: whether its recipe gives the very same plan now."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...compiler.changes import changed_data, compare, phrase, reason, written
from ...compiler.identity import differences, digest
from ...compiler.meaning import Meaning
from ...compiler.plan import Plan as PlanRecord
from .partway import early
from .saved_plan import SavedPlan, SavedPlanError, pins_of

if TYPE_CHECKING:
    from ..api import Plan

STALE = 6
"""Exit code: what was pinned does not hold any more."""
WORDS = 3
"""Changes that are named in full; the others are counted."""


def recompiled(saved: SavedPlan, *, allow_outside: bool = False) -> Plan:
    """The plan that its recipe gives now, under the same profile and settings.

    Args:
        saved: The saved plan.
        allow_outside: Whether the user has lifted confinement, now.

    Raises:
        RecipeError: The recipe does not compile any more.
        SavedPlanError: The recipe is gone, or reads outside its project and nobody has typed so.
    """
    from ..api import Recipe
    from ..project import RecipeNotFoundError, find_project

    try:
        project = find_project(saved.recipe, allow_outside=allow_outside)
    except RecipeNotFoundError as error:
        gone = f"{saved.path} was made from {_shown(saved.recipe)}, which is gone"
        raise SavedPlanError(gone, code=STALE, diagnostic="L603") from error
    if not allow_outside and (saved.allow_outside or leaves(saved.plan, project.root)):
        raise SavedPlanError(
            f"{saved.path} uses files outside its project; if it may, add: --allow-outside",
            diagnostic="R112",
        )
    plan = Recipe(project, saved.profile, saved.sets).plan(
        survey=False, until=early(saved.plan.recipe) or None
    )
    if not _run_since(saved, project.state, str(plan.record.recipe["name"])):
        plan.quoted = saved.estimates
    return plan


def _run_since(saved: SavedPlan, state: Path, recipe: str) -> bool:
    """Whether the recipe has run since, so that less is left to pay for than was quoted."""
    from ..standing import find_runs, standing_of

    latest = find_runs(state, recipe)[:1]
    begun = [float(standing_of(folder).begun.get("started", 0.0)) for folder in latest]
    return any(at >= datetime.fromisoformat(saved.made).timestamp() for at in begun)


def leaves(plan: PlanRecord, root: Path) -> bool:
    """Whether settings name a path outside the project, which only a user may type."""
    typed = [s["path"] for s in plan.sources.values() if s.get("typed")]
    if plan.output.get("typed"):
        typed.append(plan.output["path"])
    typed += [m["model"] for m in plan.models.values() if m.get("typed")]
    paths = [Path.cwd() / path for path in typed if path and "://" not in path]
    return not all(p.resolve().is_relative_to(root.resolve()) for p in paths)


def refuse_stale(saved: SavedPlan, now: Plan) -> None:
    """Refuse a saved plan that is not what its recipe gives now.

    Raises:
        SavedPlanError: `L603`, with what changed.
    """
    if changed := tuple(changes_since(saved, now)):
        raise SavedPlanError(stale_words(saved, now, changed), code=STALE, diagnostic="L603")


def stale_words(saved: SavedPlan, now: Plan, changed: tuple[str, ...]) -> str:
    """What changed since a plan was saved, and what to type."""
    then, lock = saved.lock, pins_of(now.lock)
    if (then or lock) and then != lock:
        made = f"lock {_short(then)}, now {_short(lock)}"
    else:
        made = f"plan {saved.plan.digest[:4]}…, now {now.record.digest[:4]}…"
    if saved.plan.digest == now.record.digest and then == lock:
        made = f"plan {saved.plan.digest[:4]}…"
    more = f" (+{len(changed) - WORDS} more)" if len(changed) > WORDS else ""
    words = f"changed: {'; '.join(changed[:WORDS])}{more}"
    return f"{saved.path} was made from {made}; {words}\n  = help: {command(saved)}"


def command(saved: SavedPlan) -> str:
    """What makes a saved plan again."""
    words = ["mashbill", "plan", _shown(saved.recipe)]
    words += ["--profile", saved.profile] if saved.profile else []
    for value in saved.sets:
        words += ["--set", value]
    words += ["--until", step] if (step := early(saved.plan.recipe)) else []
    words += ["--allow-outside"] if saved.allow_outside else []
    return shlex.join([*words, "-o", str(saved.path)])


def _short(pins: Sequence[str] | None) -> str:
    return "none" if pins is None else f"{digest(list(pins))[:4]}…"


def _shown(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("../../..") else relative


def changes_since(saved: SavedPlan, now: Plan) -> Iterator[str]:
    """What differs from what the recipe gives now, in its words; nothing where the plan holds."""
    told = list(_steps(saved.meaning, now.meaning))
    told += [phrase(c) for c in changed_data(saved.meaning, now.meaning)]
    told += _fields(saved.plan, now.record)
    told = told or list(_lock(saved.lock or (), pins_of(now.lock) or ()))
    yield from told
    if not told and saved.plan.digest != now.record.digest:
        yield "how the data set is made"


def _steps(then: Meaning, now: Meaning) -> Iterator[str]:
    sources = {name for m in (then, now) for name, step in m.steps.items() if step.op == "source"}
    for name, step in compare(then, now).items():
        if step.changes:
            yield f"{name}: {', '.join(phrase(c) for c in step.changes)}"
        elif step.symbol in "+-":
            yield f"{name}: {reason(step, source=name in sources)}"
        elif step.was:
            yield f"{step.was}: called `{name}`"


APART = ("path", "typed", "urls", "key", "options", "placement", "price", "license")


def _fields(then: PlanRecord, now: PlanRecord) -> Iterator[str]:
    """What a run goes by and no fingerprint holds: budget, prices, addresses, output folder."""
    for path, before, after in differences(_beside(then), _beside(now)):
        yield f"{path}: {written(before)} → {written(after)}"


def _beside(plan: PlanRecord) -> dict[str, Any]:
    def some(values: Mapping[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in values.items() if k in APART}

    return {
        "license": plan.recipe.get("license"),
        "budget": plan.budget or {},
        "hardware": plan.hardware or {},
        "output": some(plan.output),
        "models": {name: some(m) for name, m in plan.models.items()},
        "sources": {name: some(s) for name, s in plan.sources.items()},
    }


def _lock(then: Sequence[str], now: Sequence[str]) -> Iterator[str]:
    """Pins that only one of two locks holds, by name and kind."""
    sides = [dict(line.rsplit(" ", 1) for line in pins) for pins in (then, now)]
    for what in sorted({*sides[0], *sides[1]}):
        before, after = (side.get(what) for side in sides)
        if before != after:
            yield f"lock: {what} {_value(before)} → {_value(after)}"


def _value(pin: str | None) -> str:
    return "none" if pin is None else pin if len(pin) < 16 else f"{pin[:4]}…"
