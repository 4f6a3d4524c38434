"""What a command line picks of a recipe: the graph, and the steps that its selectors name."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from ...compiler.compile import Compiled
from ...compiler.diagnostics import RecipeError
from ...compiler.graph import Graph
from ...compiler.recipe import Recipe as Records
from ...compiler.selectors import State, needs_state, select, view_of
from ..api import Recipe
from ..project import find_project


@dataclass(frozen=True, slots=True)
class Choice:
    """A recipe as far as it can be bound, and the names that are picked, in the graph's order."""

    recipe: Recipe
    compiled: Compiled
    graph: Graph
    records: Records
    names: tuple[str, ...]


def choose(
    given: argparse.Namespace, named: str | None, words: Sequence[str], exclude: Sequence[str] = ()
) -> Choice:
    """Compile the recipe that a command line names, and select. Errors in it are told on stderr.

    Raises:
        RecipeError: Nothing of the recipe can be bound.
        RecipeNotFoundError: There is no recipe.
        SelectorError: A selector names nothing.
    """
    recipe = Recipe(
        find_project(named, allow_outside=given.allow_outside), given.profile, tuple(given.set)
    )
    compiled = recipe.compile()
    graph, records = bound(compiled)
    wanted, unwanted = " ".join(words), " ".join(exclude)
    asked = needs_state(wanted) or needs_state(unwanted)
    view = view_of(graph, states(recipe, graph) if asked else {})
    out = set(select(view, unwanted)) if unwanted.strip() else set[str]()
    names = tuple(name for name in select(view, wanted) if name not in out)
    return Choice(recipe, compiled, graph, records, names)


def bound(compiled: Compiled) -> tuple[Graph, Records]:
    """The graph of a recipe as far as it can be bound; a word on stderr where that is not all.

    Raises:
        RecipeError: There is nothing to show.
    """
    if compiled.graph is None or compiled.recipe is None or not compiled.graph.nodes:
        raise RecipeError(compiled.report)
    if wrong := len(compiled.report.errors):
        sys.stderr.write(
            f"The recipe has {wrong} error{'s' * (wrong != 1)}, so this may not be all of it: "
            "mashbill check\n\n"
        )
    return compiled.graph, compiled.recipe


def states(recipe: Recipe, graph: Graph) -> dict[str, State]:
    """How each step stands to the last run, by the function that `plan` decides with.

    Raises:
        RecipeError: The recipe does not compile.
    """
    symbols: dict[str, State] = {"+": "new", "~": "modified", "↻": "downstream", "=": "unchanged"}
    changes = recipe.plan(survey=False).changes()
    return {n.name: symbols[changes[n.name].symbol] for n in graph if n.name in changes}
