"""`mashbill why`."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from typing import TYPE_CHECKING

from .command import USAGE, fail, recipe_arguments, split_recipe, width

if TYPE_CHECKING:
    from ...compiler.document import Map
    from ...compiler.meaning import Meaning
    from ..api import Plan


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    sub.add_argument(
        "what", nargs="*", metavar="[RECIPE] [STEP]", help="a step; without one, a line for each"
    )
    recipe_arguments(sub, positional=False)


def act(given: argparse.Namespace) -> int:
    """Say why a step will run again, or for each step whether it will."""
    from ..api import Recipe
    from ..project import find_project

    folder, names = split_recipe(given.what)
    if len(names) > 1:
        return fail("name a recipe and one step", USAGE)
    project = find_project(folder, allow_outside=given.allow_outside)
    plan = Recipe(project, given.profile, tuple(given.set)).plan(survey=False)
    for why in plan.missing.values():
        sys.stderr.write(f"{why}\n")
    before = plan.before()
    if not names:
        return _all(plan, before, given.format)
    return _one(names[0], plan, before, given)


def _all(plan: Plan, before: tuple[str, Meaning] | None, form: str) -> int:
    from ...compiler.changes import reason

    meaning, changes = plan.meaning, plan.changes()
    sources = {s.name for s in meaning.steps.values() if s.op == "source"}
    told = {name: reason(change, source=name in sources) for name, change in changes.items()}
    if form == "json":
        value = {name: {"symbol": changes[name].symbol, "why": told[name]} for name in told}
        print(json.dumps(value, indent=1, ensure_ascii=False))
        return 0
    print(f"compared with {before[0]}" if before else "no run of this recipe yet")
    wide = max(map(len, told), default=0)
    for name, words in told.items():
        print(f" {changes[name].symbol} {name:<{wide}}  {words}")
    return 0


def _one(
    name: str, plan: Plan, before: tuple[str, Meaning] | None, given: argparse.Namespace
) -> int:
    from ...compiler.suggest import nearest
    from ...compiler.why import explain_step, tell

    meaning = plan.meaning
    run, old = before or (None, None)
    known = {**meaning.steps, **(old.steps if old else {})}
    if name not in known:
        close = nearest(name, known)
        hint = f"; did you mean {close}?" if close else f"; steps: {', '.join(known)}"
        return fail(f"no step is called {name}{hint}")
    files = plan.compiled.report.files
    why = explain_step(name, run, old, meaning, _document(plan), files)
    if given.format == "json":
        print(json.dumps(why.to_json(), indent=1, ensure_ascii=False))
        return 0
    counted = _reused(name, plan) if why.asks and why.step.symbol in "~↻" else None
    lines = tell(why, counted)
    if why.step.symbol == "=" and run:
        lines += _earlier(name, plan, run, meaning)
    print("\n".join(part for line in lines for part in _wrapped(line)))
    return 0


def _document(plan: Plan) -> Map | None:
    """The recipe with its layers, for the places of what changed."""
    from ...compiler.document import Map, parse_document
    from ...compiler.layers import apply_layers

    recipe = plan.recipe
    file = recipe.project.shown_path(recipe.project.recipe)
    document, _ = parse_document(plan.compiled.report.files[file], file)
    if not isinstance(document, Map):
        return None
    return apply_layers(document, recipe.profile, recipe.sets).document


def _reused(name: str, plan: Plan) -> float | None:
    """The share of a step's calls that the ledger holds, over a sample; None if unknown."""
    from ...compiler.diagnostics import RecipeError
    from ..requests import EngineError

    if plan.missing or not (plan.recipe.project.state / "ledger").is_dir():
        return None
    try:
        plan.measure()
    except (RecipeError, EngineError, OSError):
        return None
    node = plan.record.find(name)
    step = plan.estimates.steps.get(node.name) if plan.estimates and node else None
    return step.reused if step else None


def _earlier(name: str, plan: Plan, run: str, meaning: Meaning) -> list[str]:
    """Why the last run made it again, if it did."""
    from ...compiler.changes import compare, reason
    from ..runs import past_runs

    for folder in reversed(past_runs(plan.recipe.project.state)):
        old = folder.meaning() if folder.id != run else None
        if old is None or old.name != meaning.name:
            continue
        change = compare(old, meaning)[name]
        if change.symbol in "~↻+":
            return [f"it ran after {folder.id} because: {reason(change)}"]
        return []
    return []


def _wrapped(line: str) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()) + 3)
    return textwrap.wrap(
        line, width(), subsequent_indent=indent, break_on_hyphens=False, drop_whitespace=True
    ) or [line]
