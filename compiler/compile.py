"""The compiler on one screen: text → document → shape → records → graph → rewriting → plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .bind import bind
from .diagnostics import Diagnostic, Report, in_order
from .document import Map, parse_document
from .graph import Graph
from .layers import apply_layers, check_profiles
from .optimise import optimise
from .plan import Plan, lower
from .recipe import Recipe, read_recipe
from .registry import Catalog
from .scope import Binding
from .shape import check_shape
from .world import Pins, World


@dataclass(frozen=True, slots=True)
class Compiled:
    """What compiling gave. `graph` is the logical one; `plan` is None if anything is wrong."""

    report: Report
    recipe: Recipe | None = None
    graph: Graph | None = None
    plan: Plan | None = None


UNPINNED = Pins()


def compile_recipe(
    text: str,
    file: str,
    catalog: Catalog,
    world: World,
    *,
    profile: str | None = None,
    sets: Sequence[str] = (),
    pins: Pins = UNPINNED,
) -> Compiled:
    """Compile the text of a recipe. Never raises for what a recipe says."""
    found: list[Diagnostic] = []
    files = {file: text}
    document, problems = parse_document(text, file)
    found.extend(problems)
    if document is None:
        return Compiled(Report(in_order(found), files))
    if not isinstance(document, Map):
        found.extend(check_shape(document, catalog))
        return Compiled(Report(in_order(found), files))
    layered = apply_layers(document, profile, sets)
    found.extend(layered.diagnostics)
    found.extend(check_profiles(document, catalog, profile))
    files.update(layered.files)
    found.extend(check_shape(layered.document, catalog))
    if any(d.code == "S008" for d in found):  # another format: nothing else would be true of it
        return Compiled(Report(in_order(found), files))
    recipe = read_recipe(layered.document)
    binding = Binding(recipe, catalog, world, pins, found, files)
    graph = bind(binding)
    report = Report(in_order(found), files, _summary(recipe, files))
    if not graph.outputs or not report.ok:
        return Compiled(report, recipe, graph)
    rewritten, applied = optimise(graph)
    return Compiled(report, recipe, graph, lower(recipe, rewritten, applied, pins.models))


def _summary(recipe: Recipe, files: dict[str, str]) -> str:
    prompts = sum(1 for f in files if f.endswith(".j2"))
    steps = len(recipe.steps)
    return (
        f"Checked 1 recipe, {prompts} prompt{'s' * (prompts != 1)}, "
        f"{steps} step{'s' * (steps != 1)}"
    )
