"""`mashbill status`: how a run stands, from any shell."""

from __future__ import annotations

import argparse
import io
import json
import re
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .command import fail, width

if TYPE_CHECKING:
    from ..project import Project
    from ..standing import Standing

WATCH_SECONDS = 1.0
LINE_SECONDS = 15.0


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    sub.add_argument(
        "run", nargs="?", metavar="RUN|RECIPE", help="a run (r-0001), or a recipe, for its last"
    )
    sub.add_argument("--watch", action="store_true", help="follow it until it ends")
    sub.add_argument("--format", choices=["text", "json"], default="text")


def act(given: argparse.Namespace) -> int:
    """Say how a run stands."""
    from ..standing import standing_of

    folder = _folder(given.run)
    if isinstance(folder, str):
        return fail(folder)
    if given.watch:
        _watch(folder)
    found = standing_of(folder)
    if given.format == "json":
        print(json.dumps(to_json(found), indent=1, ensure_ascii=False, default=str))
    else:
        print(text(found, width()))
    return 0


def _folder(named: str | None) -> Path | str:
    """The folder of the run that is meant, or why there is none."""
    from ..project import STATE, RecipeNotFoundError, find_project
    from ..standing import find_runs

    if named is None or not re.fullmatch(r"r-\d+", named):
        project = find_project(named)
        name = _name(project)
        runs = find_runs(project.state, name)
        return runs[0] if runs else f"no run of {name} yet; type: mashbill run"
    try:
        state = find_project().state
    except RecipeNotFoundError:
        state = Path(STATE)
    folder = state / "runs" / named
    return folder if folder.is_dir() else f"there is no run {named} in {state / 'runs'}"


def _name(project: Project) -> str:
    from ..api import Recipe

    compiled = Recipe(project).compile()
    return compiled.recipe.name if compiled.recipe else project.folder.name


def _watch(folder: Path) -> None:
    """Show the run until it ends: a table on a terminal, else a line now and then."""
    from ..progress import words
    from ..standing import standing_of

    if sys.stdout.isatty():
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        console = Console()
        with Live(console=console, auto_refresh=False, transient=True) as live:
            while (found := standing_of(folder)).state == "running":
                live.update(Text(text(found, console.width)), refresh=True)
                time.sleep(WATCH_SECONDS)
        return
    last = float("-inf")
    while (found := standing_of(folder)).state == "running":
        if found.view and time.monotonic() - last >= LINE_SECONDS:
            last = time.monotonic()
            print(words.line(found.view), flush=True)
        time.sleep(WATCH_SECONDS)


def text(found: Standing, room: int) -> str:
    """How a run stands, in lines of at most so many columns where they can be cut."""
    from ..progress.table import picture

    lines = [head(found)]
    if found.problem and found.state != "done":
        lines.append(f"  {found.problem}")
    if found.view is not None:
        lines.append(_printed(picture(found.view, room), room))
    lines += _afterwards(found)
    rows = [
        *_asides(found),
        *_warned(found),
        *_lost(found),
        *_errors(found),
        *_caps(found),
        *_next(found),
    ]
    wide = max((len(told) for told, _ in rows), default=0)
    wide = min(wide, max(room - 34, 20))
    lines += [f" {told:<{wide}}   {typed}".rstrip() for told, typed in rows]
    return "\n".join(lines)


def head(found: Standing) -> str:
    """`r-0419  edu  paused 3 min ago`."""
    from ...compiler.quantities import show_duration
    from ..standing import ago

    when = ago(found.since)
    if found.state == "running" and found.view is not None:
        when = f"for {show_duration(found.view.seconds)}"
    if found.state == "killed":
        when = f"(its process is gone), last seen {when or 'never'}"
    passes = int(found.begun.get("passes") or 1)
    again = f"   {passes} passes (run --retry rejected)" if passes > 1 else ""
    return f"{found.run.id}  {found.recipe}  {found.state} {when}{again}".rstrip()


def _printed(shown: Any, room: int) -> str:
    from rich.console import Console

    out = io.StringIO()
    Console(file=out, width=room, color_system=None, legacy_windows=False).print(shown)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip("\n").splitlines())


def _afterwards(found: Standing) -> list[str]:
    """Estimated against actual, of a run that has ended."""
    from ..afterwards.words import block

    lines = block((found.record or {}).get("afterwards"))
    return [line.replace("  ", " ", 1) if line[:1] == " " else f" {line}" for line in lines if line]


def _asides(found: Standing) -> list[tuple[str, str]]:
    from ..progress.words import reasons

    return [
        (f"rejected by {step.name}: {reasons(step.rejected)}", _shown(found, step.name))
        for step in (found.view.steps if found.view else ())
        if step.rejected
    ]


def _warned(found: Standing) -> list[tuple[str, str]]:
    """What the run showed that its plan had not said."""
    return [(str(w["message"]), "") for w in (found.record or {}).get("warnings") or ()]


def _shown(found: Standing, step: str) -> str:
    if found.record is None:
        return ""
    recipe = [w for w in shlex.split(found.go_on)[2:3] if not w.startswith("-")]
    return shlex.join(["mashbill", "show", *recipe, step])


def _errors(found: Standing) -> list[tuple[str, str]]:
    from ..progress.words import reasons

    kinds = _kinds(found)
    if not kinds:
        return []
    command = f"{found.go_on} --retry errors" if found.state == "done" else ""
    return [(f"errors: {reasons(kinds)}", command)]


def _lost(found: Standing) -> list[tuple[str, str]]:
    """Chunks and samples that no reply passed for, which a further pass may mend."""
    if found.state != "done" or found.view is None:
        return []
    rows = []
    for step in found.view.steps:
        asked = sum(v for k, v in step.units.items() if k != "kept")
        lost = asked - step.units.get("accepted", 0)
        if lost:
            told = f"no reply passed for {lost:,} of {asked:,} asked by {step.name}"
            rows.append((told, f"{found.go_on} --retry rejected"))
    return rows


def _caps(found: Standing) -> list[tuple[str, str]]:
    budget = (found.record or {}).get("budget") or {}
    return [(str(said), "") for said in budget.get("said", ()) if said != found.problem]


def _kinds(found: Standing) -> dict[str, int]:
    from .report import error_kinds

    steps = found.view.steps if found.view else ()
    return error_kinds({s.name: {"errors": s.errors} for s in steps})


def _next(found: Standing) -> list[tuple[str, str]]:
    if found.state in ("paused", "failed", "killed"):
        output = (found.record or {}).get("output", {})
        rows = [("every finished completion is saved; go on:", found.go_on)]
        if output.get("rows") is not None:  # a valid part of the data set
            rows.insert(0, (f"{output['rows']:,} rows so far in {output['path']}", ""))
        return rows
    if found.state == "done" and found.record is not None:
        output = found.record["output"]
        return [(f"{output.get('rows', 0):,} rows in {output['path']}", "")]
    return []


def to_json(found: Standing) -> dict[str, Any]:
    """How a run stands, for programs."""
    return {
        "run": found.run.id,
        "recipe": found.recipe,
        "state": found.state,
        "since": found.since,
        "problem": found.problem or None,
        "passes": int(found.begun.get("passes") or 1),
        "errors": _kinds(found),
        "progress": found.view.to_json() if found.view else None,
        "go_on": found.go_on if found.state != "done" else None,
    }
