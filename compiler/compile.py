"""The compiler on one screen: text → document → shape → records → graph → rewriting → plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from .bind import bind
from .counting import tokenizer_identity
from .diagnostics import Diagnostic, Report, in_order
from .graph import Graph
from .mixing import written_columns
from .optimise import optimise
from .plan import Plan, lower
from .pricebook.settling import settle_prices, stale_matches
from .prices import stale_prices
from .recipe import Recipe, read_recipe
from .registry import Catalog
from .resolve import resolve_recipe
from .scope import Binding
from .secrets import find_secrets
from .spending import check_spending
from .suppress import suppress
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
    today: date | None = None,
    prices: Sequence[tuple[str, str]] = (),
) -> Compiled:
    """Compile the text of a recipe. Never raises for what a recipe says.

    `today` is the day that prices are held against, to say which are old; None holds none.
    `prices` are path and text of a user's files of prices, beside the recipe's own.
    """
    resolved = resolve_recipe(text, file, catalog, profile, sets)
    resolved.diagnostics += (Diagnostic("R109", fault) for fault in catalog.faults)
    found, files, document = resolved.diagnostics, resolved.files, resolved.document
    # In another format than this nothing else would be true of it.
    if document is None or any(d.code == "S008" for d in found):
        return Compiled(Report(in_order(found), files))
    recipe = read_recipe(document)
    values = {f"params.{name}": p.value.value for name, p in resolved.parameters.items()}
    binding = Binding(recipe, catalog, world, pins, found, files, values)
    graph = bind(binding)
    market = settle_prices(binding, prices, today)
    breakers = check_spending(graph, binding, frozenset(market))
    if today:
        found += [*stale_prices(recipe, today), *stale_matches(market, today)]
    found += find_secrets(files, found)
    left = suppress(found, files, {file: resolved.written or document})
    report = Report(in_order(left), files, _summary(recipe, files))
    if not graph.outputs or not report.ok:
        return Compiled(report, recipe, graph)
    rewritten, applied = optimise(graph)
    counted_by = tokenizer_identity(binding) if recipe.mix else None
    columns = written_columns(graph.outputs, graph.nodes, recipe.output)
    paid = {name: match.to_json() for name, match in market.items()}
    plan = lower(recipe, rewritten, applied, pins.models, columns, counted_by, breakers, paid)
    return Compiled(report, recipe, graph, plan)


def _summary(recipe: Recipe, files: dict[str, str]) -> str:
    prompts = sum(1 for f in files if f.endswith(".j2"))
    steps = len(recipe.steps)
    return (
        f"Checked 1 recipe, {prompts} prompt{'s' * (prompts != 1)}, "
        f"{steps} step{'s' * (steps != 1)}"
    )
