"""`mashbill ls`: what a recipe consists of, and what a selector picks of it."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .command import recipe_arguments, split_recipe, width

if TYPE_CHECKING:
    from ...compiler.compile import Compiled
    from ...compiler.graph import Node
    from .selecting import Choice


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    sub.add_argument(
        "words",
        nargs="*",
        metavar="[RECIPE] [SEL]",
        help="selectors: book, tit*, +x, x+1, op:generate, model:writer, prompt:FILE, source:web, "
        "state:modified+; a comma means both, a space either",
    )
    sub.add_argument("--exclude", action="append", default=[], metavar="SEL", help="leave out")
    recipe_arguments(sub, positional=False)


def act(given: argparse.Namespace) -> int:
    """List a recipe."""
    from .selecting import choose

    named, words = split_recipe(given.words)
    choice = choose(given, named, words, given.exclude)
    listed = _selected(choice)
    if not words and not given.exclude:
        listed |= _beside(choice)
    if given.format == "json":
        print(json.dumps(listed, indent=1, ensure_ascii=False))
    else:
        print(_text(listed, width()) or "nothing is selected")
    return 0 if choice.compiled.report.ok else 1


def _selected(choice: Choice) -> dict[str, Any]:
    """The sources and steps of a selection, and the models and prompts that they use."""
    records = choice.records
    nodes = [choice.graph.nodes[name] for name in choice.names]
    paths = {s.name: s for s in records.sources}
    models: dict[str, list[str]] = {}
    prompts: dict[str, list[str]] = {}
    for node in nodes:
        for model in node.asked:
            models.setdefault(model, []).append(node.name)
        asking = [*filter(None, [node.prompt]), *node.prompts.values()]
        for path in dict.fromkeys(path for stored in asking for path in stored["files"]):
            prompts.setdefault(path, []).append(node.name)
    for part, render in choice.graph.renders.items():
        if part.partition(".")[0] in choice.names:
            for path in render.files:
                prompts.setdefault(path, []).append(f"mix.{part}")
    return {
        "recipe": records.name,
        "sources": [
            {"name": n.name, "path": s.path, "origin": s.origin, "license": s.license}
            for n in nodes
            if n.op == "source" and (s := paths[n.name])
        ],
        "steps": [_step(n) for n in nodes if n.op != "source"],
        "models": [
            {"name": m.name, "use": f"{m.engine}/{m.model}", "steps": models[m.name]}
            for m in records.models
            if m.name in models
        ],
        "prompts": [{"path": p, "steps": s} for p, s in sorted(prompts.items())],
    }


def _step(node: Node) -> dict[str, Any]:
    return {
        "name": node.name,
        "op": node.op,
        "from": [str(e) for e in node.inputs],
        "model": node.model,
        "prompt": node.prompt["path"] if node.prompt else None,
    }


def _beside(choice: Choice) -> dict[str, Any]:
    """Profiles and runs, which no selector names."""
    from ..runs import past_runs

    records = choice.records

    runs = []
    for run in past_runs(choice.recipe.project.state):
        record: Mapping[str, Any] = run.record() or {}
        if record.get("recipe", {}).get("name") == records.name:
            runs.append(
                {
                    "name": run.id,
                    "status": record.get("status"),
                    "rows": record.get("output", {}).get("rows"),
                    "started": record.get("started"),
                }
            )
    return {"profiles": _profiles(choice.compiled, records.span.file), "runs": runs}


def _profiles(compiled: Compiled, file: str) -> list[str]:
    from ...compiler.document import Map, parse_document

    document, _ = parse_document(compiled.report.files[file], file)
    found = document.get("profiles") if isinstance(document, Map) else None
    return [str(key.value) for key, _ in found.entries] if isinstance(found, Map) else []


def _text(listed: Mapping[str, Any], room: int) -> str:
    tables: dict[str, list[Sequence[str]]] = {
        "sources": [(s["name"], s["path"], s["origin"], s["license"]) for s in listed["sources"]],
        "steps": [
            (
                s["name"],
                s["op"],
                f"from {', '.join(s['from'])}",
                s["model"] or "",
                s["prompt"] or "",
            )
            for s in listed["steps"]
        ],
    }
    if "profiles" in listed:  # all of the recipe, not a selection
        tables |= {
            "models": [(m["name"], m["use"]) for m in listed["models"]],
            "prompts": [(p["path"], f"of {', '.join(p['steps'])}") for p in listed["prompts"]],
            "profiles": [(name,) for name in listed["profiles"]],
            "runs": [
                (r["name"], r["status"] or "?", _rows(r["rows"]), _when(r["started"]))
                for r in listed["runs"]
            ],
        }
    blocks = ["\n".join([title, *table(rows, room)]) for title, rows in tables.items() if rows]
    return "\n\n".join(blocks)


def table(rows: Iterable[Sequence[str]], room: int) -> list[str]:
    """Rows of cells as aligned lines, cut at the terminal's width."""
    from ...compiler.render import clean, display_width

    cells = [[clean(cell).replace("\n", " ") for cell in row] for row in rows]
    sizes = [max(map(display_width, column)) for column in zip(*cells, strict=True)]
    lines = []
    for row in cells:
        padded = (c + " " * (s - display_width(c)) for c, s in zip(row, sizes, strict=True))
        line = ("  " + "  ".join(padded)).rstrip()
        while display_width(line) > room:
            line = line.removesuffix("…")[:-1] + "…"
        lines.append(line)
    return lines


def _rows(rows: int | None) -> str:
    return "no data set" if rows is None else f"{rows:,} row{'s' * (rows != 1)}"


def _when(started: float | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(started)) if started else ""
