"""`mashbill preview`: a few real rows through all steps, side by side."""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .command import USAGE, fail, recipe_arguments, split_recipe, width

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ..api import Recipe

NARROW = 72
"""Columns under which input and output stand one above the other."""
LINES = 14
"""Lines that are shown of a text …"""
LOST = 3
"""… and chunks of a row that no reply passed for."""


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    sub.add_argument(
        "words",
        nargs="*",
        metavar="[RECIPE] [STEP]",
        help="selectors of the steps to show (book, +book, op:generate); others run as needed",
    )
    sub.add_argument("-n", type=int, default=5, help="rows (5)")
    recipe_arguments(sub, positional=False)


def act(given: argparse.Namespace) -> int:
    """Preview a recipe."""
    from ..preview_page import write_page
    from ..progress import watcher

    if given.n < 1:
        return fail("-n must be at least 1", USAGE)
    recipe, steps = _chosen(given)
    began = time.monotonic()
    watch = watcher(sys.stderr) if sys.stderr.isatty() else None
    found = recipe.preview(given.n, *steps, watch=watch).to_json()
    page = write_page(found, recipe.project.state)
    if given.format == "json":
        print(json.dumps(found, indent=1, ensure_ascii=False, default=str))
        return 0
    seconds = time.monotonic() - began
    print(text(found, width(), whole=bool(steps)))
    print(_last(found, seconds, recipe.project.shown_path(page) if page else ""))
    return 0 if found["rows"] else 1


def _chosen(given: argparse.Namespace) -> tuple[Recipe, list[str]]:
    """The recipe, and the steps that the command line names; none for all."""
    from ..api import Recipe
    from ..project import find_project
    from .selecting import choose

    named, words = split_recipe(given.words)
    if words:
        choice = choose(given, named, words)
        return choice.recipe, [n for n in choice.names if choice.graph.nodes[n].op != "source"]
    project = find_project(named, allow_outside=given.allow_outside)
    return Recipe(project, given.profile, tuple(given.set)), []


def text(found: Mapping[str, Any], room: int, *, whole: bool = False) -> str:
    """A preview as text of so many columns.

    Args:
        found: As `Preview.to_json` gives it.
        room: Columns.
        whole: Show every step; else those that a model or a check has a part in.
    """
    from rich.console import Console

    out = io.StringIO()
    console = Console(file=out, width=room, color_system=None, legacy_windows=False)
    plain: dict[str, Any] = {"markup": False, "highlight": False}
    for number, row in enumerate(found["rows"], 1):
        console.print(_head(number, len(found["rows"]), row), **plain)
        for step in row["steps"]:
            for outcome in step["outcomes"]:
                if whole or step["model"] or outcome["checks"] or outcome["end"] != "out":
                    for part in _outcome(step, outcome, room):
                        console.print(part, **plain, no_wrap=True, overflow="ellipsis")
        console.print()
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def _head(number: int, of: int, row: Mapping[str, Any]) -> str:
    from ...compiler.quantities import show_money

    tokens = f"{row['prompt_tokens']:,} → {row['completion_tokens']:,} tokens"
    usd = f"   {show_money(row['usd'])}" if row["usd"] is not None else ""
    return (
        f"row {number} of {of}   {row['source']}:{str(row['doc'])[:10]}   {tokens}{usd}   "
        f"{row['verdict']}"
    )


def _outcome(
    step: Mapping[str, Any], outcome: Mapping[str, Any], room: int
) -> Iterator[RenderableType]:
    """What became of a row at a step: what went in, what came out, and why."""
    if step["model"] or outcome["changed"] != [{}]:
        yield _beside("input", str(step["input"] or ""), step["step"], after(outcome), room)
    for line in notes(step["step"], outcome):
        yield f"  {line}"


def after(outcome: Mapping[str, Any]) -> str:
    """What a step made of a row, or the last reply that it refused."""
    if outcome["end"] != "out":
        replies = [a["reply"] for u in outcome["units"] for a in u["attempts"]]
        return replies[-1] if replies else f"({outcome['end']})"
    lines = []
    for row in outcome["changed"]:
        for column, value in row.items():
            if column == "text":
                lines.append(str(value))
            else:
                said = value if isinstance(value, str) else json.dumps(value, default=str)
                lines.append(f"{column}: {said}")
    return "\n".join(lines) or "(unchanged)"


def notes(step: str, outcome: Mapping[str, Any]) -> Iterator[str]:
    """Checks with their evidence, and how replies fared."""
    from .examples import evidence

    if outcome["checks"]:
        yield f"{step}: {_checks(outcome['checks'])}"
    units = outcome["units"]
    lost = [u for u in units if u["end"] != "accepted"]
    if len(units) > 1:
        why = Counter(u["attempts"][-1]["reason"] for u in lost if u["attempts"])
        told = ", ".join(f"{reason} {count}" for reason, count in why.most_common())
        yield f"{len(units) - len(lost)} of {len(units)} chunks accepted" + (
            f"; of the others, the last reply was {told}" if told else ""
        )
    elif units and not lost:
        last, tries = units[0]["attempts"][-1], len(units[0]["attempts"])
        again = f" at attempt {tries}" if tries > 1 else ""
        if last["checks"] or again:
            yield f"accepted{again}: {_checks(last['checks']) or 'no checks'}"
    for unit in lost[:LOST]:
        yield _lost(unit)
    if len(lost) > LOST:
        yield f"… {len(lost) - LOST} more"
    if outcome["end"] != "out" and not units:
        yield f"{outcome['end']}: {outcome['reason']} {evidence(outcome['evidence'])}".rstrip()


def _lost(unit: Mapping[str, Any]) -> str:
    """How a unit ended that no reply passed for, and why the last one did not."""
    from .examples import evidence

    last, tries = unit["attempts"][-1], len(unit["attempts"])
    how = {"fallback": "fell back to the input", "routed": "routed"}.get(unit["end"], "REJECTED")
    by = ": ".join(dict.fromkeys([last["failed"], last["reason"]]))
    why = f"{by} {evidence(last['evidence'])}".rstrip()
    return f"{how} after {tries} attempt{'s' * (tries != 1)} by {why}"


def _checks(found: list[Mapping[str, Any]]) -> str:
    from .examples import evidence

    said = []
    for check in found:
        told = evidence(check["evidence"], 60)
        state = "ok" if check["passed"] else check["reason"] or "failed"
        beside = f" ({told})" if told else ""
        said.append(f"{check['check']} {state}{beside}")
    return " · ".join(said)


def _beside(left: str, before: str, right: str, made: str, room: int) -> RenderableType:
    """Two texts side by side, or one above the other where there is no room for that."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    narrow = room < NARROW
    inside = room - 4 if narrow else (room - 7) // 2
    table = Table(box=box.SQUARE, width=room, show_header=not narrow)
    if narrow:
        table.add_column(width=inside)
        for head, body in ((left, before), (right, made)):
            table.add_row(Text(f"{head}:"))
            table.add_row(Text(_cut(body, inside)), end_section=True)
        return table
    for head in (left, right):
        table.add_column(Text(head), width=inside)
    table.add_row(Text(_cut(before, inside)), Text(_cut(made, inside)))
    return table


def _cut(text: str, room: int) -> str:
    """The first lines of a text, wrapped at so many columns."""
    from rich.cells import cell_len
    from rich.console import Console
    from rich.text import Text

    from ...compiler.render import clean

    shown = "\n".join(clean(line) for line in text.splitlines())
    console = Console(file=io.StringIO(), width=room, color_system=None)
    lines = [line.plain.rstrip() for line in Text(shown).wrap(console, room)]
    assert all(cell_len(line) <= room for line in lines)
    if len(lines) <= LINES:
        return "\n".join(lines)
    return "\n".join([*lines[: LINES - 1], f"… {len(lines) - LINES + 1} more lines"])


def _last(found: Mapping[str, Any], seconds: float, page: str) -> str:
    from ...compiler.quantities import show_count, show_duration, show_money

    if not found["rows"]:
        return "No row reaches a model step: every row is left aside before. Type: mashbill plan"
    tokens = found["prompt_tokens"] + found["completion_tokens"]
    usd = f", {show_money(found['usd'])}" if found["usd"] is not None else ""
    reused = f" ({found['reused']:,} more from the ledger)" if found["reused"] else ""
    said = (
        f"{len(found['rows'])} rows, {found['calls']:,} calls{reused}, {show_count(tokens)} "
        f"tokens{usd}, {show_duration(seconds)}.  The same rows are reused by run."
    )
    if found["sampled"]:
        names = ", ".join(found["sampled"])
        said += f"\nOf {names} a sample was read: under a `limit:`, run may take other rows."
    return f"{said}\nHTML: {page}" if page else said
