"""`mashbill show`: a row's lineage, or what a step did in the last run."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ..project import find_project
from .command import USAGE, fail, recipe_arguments, split_recipe, width


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    sub.add_argument(
        "what",
        nargs="*",
        metavar="[RECIPE] [ROW|STEP]",
        help="a row's id (or its beginning), or a step; without one, a row of the data set",
    )
    sub.add_argument("-n", type=int, default=3, help="examples of each kind (for a step)")
    sub.add_argument("--prompt", action="store_true", help="print rendered prompts too")
    sub.add_argument(
        "--columns", action="store_true", help="what the rows of a step hold, before any run"
    )
    sub.add_argument(
        "--resolved",
        action="store_true",
        help="the recipe as it is meant, each value with the layer that set it",
    )
    recipe_arguments(sub, positional=False)


def act(given: argparse.Namespace) -> int:
    """Show a row or a step."""
    recipe, names = split_recipe(given.what)
    if len(names) > 1:
        return fail("name a recipe and one row or step", USAGE)
    what = names[0] if names else None
    if given.columns:
        return _columns(recipe, what, given)
    if given.resolved:
        return _resolved(recipe, what, given)
    from ..api import Recipe
    from ..runs import last_run

    project = find_project(recipe, allow_outside=given.allow_outside)
    compiled = Recipe(project).compile()
    name = compiled.recipe.name if compiled.recipe else project.folder.name
    found = last_run(project.state, name)
    if found is None:
        return fail(f"no run of {name} yet; type: mashbill run")
    run, record = found
    if what is None:
        what = _some_row(project.root / record["output"]["path"], record)
        if what is None:
            return fail("the last run has written no data set; type: mashbill run")
    if what in record["steps"]:
        return _step(what, record, given)
    return _row(what, project, run.path, record, given)


def _resolved(recipe: str | None, what: str | None, given: argparse.Namespace) -> int:
    from dataclasses import asdict

    from ...compiler.resolve import settings, show_settings
    from ..api import Recipe

    if what is not None:
        return fail("--resolved shows the whole recipe: leave the row or step out", USAGE)
    project = find_project(recipe, allow_outside=given.allow_outside)
    resolved = Recipe(project, given.profile, tuple(given.set)).resolve()
    if given.format == "json":
        print(json.dumps([asdict(s) for s in settings(resolved)], indent=1, ensure_ascii=False))
    else:
        print(show_settings(resolved))
    return 0


def _columns(recipe: str | None, what: str | None, given: argparse.Namespace) -> int:
    from .columns import columns_json, columns_text, ports_of, unknown_step
    from .selecting import choose

    if what is None:
        return fail("name a step: mashbill show STEP --columns", USAGE)
    graph = choose(given, recipe, ()).graph
    name = what.partition(".")[0]
    if name not in graph.nodes:
        return fail(unknown_step(name, graph), USAGE)
    node, port = graph.nodes[name], what.partition(".")[2]
    if port not in (known := ports_of(node)):
        listed = ", ".join(f".{p}" for p in known if p) or "none"
        return fail(f"`{name}` has no port `{port}`; its ports: {listed}", USAGE)
    only = port or None
    print(columns_json(node, only) if given.format == "json" else columns_text(node, only, width()))
    return 0


def _some_row(folder: Path, record: Any) -> str | None:
    """The id of the first row that holds a model's words, or of the first row."""
    from ..lineage import find_written

    rows = find_written(folder, record, "", most=1000)
    made = [r for _, _, r in rows if r.get("_origin") == "synthetic"] or [r for _, _, r in rows]
    return str(made[0]["_id"]) if made else None


def _step(name: str, record: Any, given: argparse.Namespace) -> int:
    from .examples import side_by_side
    from .report import checks, steps

    account = record["steps"][name]
    examples = record["examples"].get(name, {})
    judged = record.get("checks", {}).get(name, {})
    if given.format == "json":
        shown = {"step": account, "checks": judged, "examples": examples}
        print(json.dumps(shown, indent=1, ensure_ascii=False))
        return 0
    print("\n".join([*steps({name: account}), *checks(judged)]))
    for kind in ("accepted", "fallback", "rejected"):
        for example in examples.get(kind, [])[: given.n]:
            print("\n" + side_by_side(kind, example, width()))
    return 0


def _row(prefix: str, project: Any, folder: Path, record: Any, given: argparse.Namespace) -> int:
    from ...compiler.plan import Plan
    from ..engine_room import room_of
    from ..ledger import Ledger
    from ..lineage import Lineage, Tracer, find_written
    from .lineage import picture, to_json

    plan = Plan.load((folder / "plan.json").read_text("utf-8"))
    out = project.root / record["output"]["path"]
    written = find_written(out, record, prefix)
    docs = {row.get("_doc") for _, _, row in written}
    if len(docs) > 1:
        ids = ", ".join(sorted(str(r["_id"])[:12] for _, _, r in written)[:5])
        return fail(f"{prefix} fits several rows: {ids}, …; type more of it")
    with Ledger.open(project.state / "ledger", write=False) as ledger:
        passes = int(record.get("passes", 1))
        tracer = Tracer(plan, project, room_of(plan, project), ledger, passes)
        hit = tracer.find(str(next(iter(docs), prefix)))
        if hit is None:
            return fail(f"no row and no step of the last run is called {prefix}")
        source, place, row = hit
        first = row.rows(named=True)[0]
        doc = str(first["_doc"])
        rows = written or find_written(out, record, doc)
        lineage = Lineage(doc, source, place, first, tracer.trace(source, row), tuple(rows))
    if given.format == "json":
        print(json.dumps(to_json(lineage), indent=1, ensure_ascii=False, default=str))
    else:
        wanted = str(rows[0][2]["_id"]) if len(rows) == 1 else None
        print(picture(lineage, plan, record, wanted, prompts=given.prompt, width=width()))
    return 0
