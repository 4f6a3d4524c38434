"""The two sides of a `diff`: a recipe on disk, one at a git revision, or a run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..compiler.compile import Compiled, compile_recipe
from ..compiler.diagnostics import RecipeError, Report, in_order
from ..compiler.document import decode
from ..compiler.meaning import Meaning, meaning_of
from ..compiler.world import Pins
from .api import Plan, Recipe
from .catalog import load_catalog
from .pins import find_pins
from .project import Project, RecipeNotFoundError, find_project
from .revisions import Revision, RevisionError, find_revision
from .runs import RunFolder

RUN = re.compile(r"r-\d+")


class SideError(Exception):
    """Nothing is called that; the message says what could be."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side.

    Attributes:
        label: What the user typed.
        meaning: What decides its results.
        record: Of a run, its record.
        plan: Of a recipe in the working tree, its plan.
        missing: Models that could not be described, and what to type.
    """

    label: str
    meaning: Meaning
    record: Mapping[str, Any] | None = None
    plan: Plan | None = None
    missing: Mapping[str, str] | None = None


def find_side(name: str, here: Project, *, allow_outside: bool = False) -> Side:
    """Find what a word of the command line names.

    Args:
        name: A recipe, `REV` or `REV:path`, or a run's id.
        here: The recipe that revisions and runs are of.
        allow_outside: Let the recipe's paths leave the project.

    Raises:
        RecipeError: It names a recipe that does not compile.
        SideError: It names nothing.
    """
    if RUN.fullmatch(name):
        return _run(name, here)
    if Path(name).exists():
        try:
            return _recipe(name, find_project(name, allow_outside=allow_outside))
        except RecipeNotFoundError as error:
            raise SideError(str(error)) from error
    try:
        revision = find_revision(here, name)
    except RevisionError as error:
        raise SideError(str(error)) from error
    if revision is None:
        raise SideError(f"{name} is no recipe, no git revision and no run (r-0001)")
    return _revision(name, revision)


def _run(name: str, here: Project) -> Side:
    folder = RunFolder(here.state / "runs" / name)
    record, meaning = folder.record(), folder.meaning()
    if record is None or meaning is None:
        shown = here.shown_path(here.state / "runs")
        raise SideError(f"there is no run {name} in {shown} that can be read")
    return Side(name, meaning, record)


def _recipe(name: str, project: Project) -> Side:
    plan = Recipe(project).plan(survey=False)
    return Side(name, plan.meaning, plan=plan, missing=plan.missing)


def _revision(name: str, revision: Revision) -> Side:
    compiled = compile_revision(revision, Pins())
    assert compiled.plan is not None
    pins, missing = find_pins(compiled.plan, revision.project)
    compiled = compile_revision(revision, pins)
    assert compiled.plan is not None
    meaning = meaning_of(compiled.plan, compiled.graph, load_catalog())
    return Side(name, meaning, missing=missing)


def compile_revision(
    revision: Revision, pins: Pins, profile: str | None = None, sets: Sequence[str] = ()
) -> Compiled:
    """Compile a recipe as git holds it.

    Raises:
        RecipeError: It does not compile.
    """
    shown = f"{revision.label}:{revision.recipe}"
    data = revision.text()
    text, problems = decode(data, shown)
    if text is None:
        raise RecipeError(Report(in_order(problems), {shown: data.decode("utf-8", "replace")}))
    compiled = compile_recipe(
        text, shown, load_catalog(), revision, profile=profile, sets=sets, pins=pins
    )
    if compiled.plan is None:
        raise RecipeError(compiled.report)
    return compiled
