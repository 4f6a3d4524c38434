"""`mashbill doctor`: what this machine lacks for a recipe."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from .command import recipe_arguments, width

if TYPE_CHECKING:
    from ..doctor import Finding
    from ..project import Project


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    recipe_arguments(sub)
    sub.add_argument(
        "--models", action="store_true", help="ask each model for eight tokens, which costs that"
    )


def act(given: argparse.Namespace) -> int:
    """Examine the machine, and what a recipe needs of it."""
    found = list(_findings(given))
    if given.format == "json":
        print(json.dumps([asdict(f) for f in found], indent=1, ensure_ascii=False))
    else:
        print("\n".join(line for f in found for line in lines(f, width())))
    return 1 if any(f.level == "fail" for f in found) else 0


def _findings(given: argparse.Namespace) -> Iterator[Finding]:
    from ..doctor import examine_machine
    from ..project import STATE, RecipeNotFoundError, find_project

    try:
        project = find_project(given.recipe, allow_outside=given.allow_outside)
    except RecipeNotFoundError:
        if given.recipe is not None:
            raise
        yield from examine_machine(Path(STATE))
        return
    yield from examine_machine(project.state)
    yield from _recipe(project, given)


def _recipe(project: Project, given: argparse.Namespace) -> Iterator[Finding]:
    from ..api import Recipe
    from ..doctor import Finding, ask_models, examine_needs

    compiled = Recipe(project, given.profile, tuple(given.set)).compile()
    shown = project.shown_path(project.recipe)
    if compiled.plan is None:
        wrong = len(compiled.report.errors)
        said = f"{shown} has {wrong} error{'s' * (wrong != 1)}"
        yield Finding("fail", "recipe", said, f"mashbill check {shown}")
        return
    yield Finding("ok", "recipe", f"{shown} compiles")
    yield from examine_needs(compiled.plan, project)
    if given.models:
        yield from ask_models(compiled.plan, project)


def lines(found: Finding, room: int) -> list[str]:
    """A finding in lines of so many columns: `fail  $KEY  not set  →  export KEY=…`."""
    head = f"{found.level:<5} {found.what:<14} "
    tail = f"{found.said}  →  {found.help}" if found.help else found.said
    inside = " " * len(head)
    return textwrap.wrap(head + tail, room, subsequent_indent=inside, break_on_hyphens=False)
