"""`mashbill diff`."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from typing import TYPE_CHECKING

from .command import fail, width

if TYPE_CHECKING:
    from ...compiler.contrast import Contrast
    from ..project import Project
    from ..sides import Side


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    sides = "a recipe, a git revision (HEAD~1, main:path/recipe.yaml) or a run (r-0001)"
    sub.add_argument("old", metavar="A", help=sides)
    sub.add_argument("new", metavar="B", nargs="?", default=".", help="likewise; this folder's")
    sub.add_argument("--allow-outside", action="store_true", help="let paths leave the project")
    sub.add_argument("--format", choices=["text", "json"], default="text")


def act(given: argparse.Namespace) -> int:
    """Say what changed from A to B."""
    from ...compiler.contrast import contrast, runs_json, tell, tell_runs
    from ..sides import SideError, find_side

    try:
        here = _here(given)
        old, new = (
            find_side(name, here, allow_outside=given.allow_outside)
            for name in (given.old, given.new)
        )
    except SideError as error:
        return fail(str(error))
    for why in dict.fromkeys([*(old.missing or {}).values(), *(new.missing or {}).values()]):
        sys.stderr.write(f"{why}\n")
    found = contrast(old.meaning, new.meaning)
    reused = _reused(found, new)
    records = (old.record, new.record) if old.record and new.record else None
    if given.format == "json":
        value = {"old": old.label, "new": new.label, **found.to_json(), "reused": reused}
        if records:
            value["runs"] = runs_json(*records)
        print(json.dumps(value, indent=1, ensure_ascii=False))
        return 0
    lines = [f"{old.label} → {new.label}", *tell(found, reused)]
    if records:
        lines += tell_runs(*records)
    print("\n".join(part for line in lines for part in _wrapped(line)))
    return 0


def _here(given: argparse.Namespace) -> Project:
    """The recipe that revisions and runs are of: one of the sides, or this folder's."""
    from pathlib import Path

    from ..project import RecipeNotFoundError, find_project
    from ..sides import SideError

    named = next((n for n in (given.new, given.old) if Path(n).exists()), None)
    try:
        return find_project(named, allow_outside=given.allow_outside)
    except RecipeNotFoundError as error:
        raise SideError(str(error)) from error


def _reused(found: Contrast, new: Side) -> dict[str, float]:
    """The share of calls that the ledger holds, over a sample, if B is a recipe that can run."""
    from ...compiler.diagnostics import RecipeError
    from ..requests import EngineError

    plan = new.plan
    if plan is None or plan.missing or not found.usable:
        return {}
    if not (plan.recipe.project.state / "ledger").is_dir():
        return {}
    try:
        plan.measure()
    except (RecipeError, EngineError, OSError):
        return {}
    steps = plan.estimates.steps if plan.estimates else {}
    return {name: steps[name].reused for name in found.usable if name in steps}


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(
        line, width(), subsequent_indent=" " * 12, break_on_hyphens=False, drop_whitespace=True
    ) or [line]
