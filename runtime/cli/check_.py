"""`mashbill check`."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...compiler.diagnostics import Edit, Report, in_order
from .command import USAGE, coloured, fail, recipe_arguments, width

ROUNDS = 10
"""How often fixes are applied in turn."""
SHOWN = 50
"""Diagnostics that are printed as text; `--format json` has them all."""

if TYPE_CHECKING:
    from ..api import Recipe

_COUNTED = re.compile(r"(\d+) (prompt|step)s?\b")


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    sub.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="recipes, folders that hold some, or prompt files; the current folder if absent",
    )
    recipe_arguments(sub, positional=False, formats=("text", "json", "github"))
    sub.add_argument("--fix", action="store_true", help="mend what can be mended safely")
    for option, about in (("select", "report only"), ("ignore", "do not report")):
        sub.add_argument(
            f"--{option}",
            action="append",
            default=[],
            metavar="CODES",
            help=f"{about} these codes or families, such as P,B55",
        )
    sub.add_argument("--explain", metavar="CODE", help="what a diagnostic's code means")


def act(given: argparse.Namespace) -> int:
    """Check recipes."""
    if given.explain:
        return _explain(given.explain)
    if problem := _unknown_codes([*given.select, *given.ignore]):
        return fail(problem, USAGE)
    started = time.monotonic()
    recipes = _recipes(given)
    report = _filtered(checked(recipes), given)
    if given.fix:
        report = _mended(report, recipes, given)
    if report.summary:
        seconds = time.monotonic() - started
        report = replace(report, summary=f"{report.summary} in {seconds:.2f} s")
    if shown := _shown(report, given.format):
        print(shown)
    return 0 if report.ok else 1


def _mended(report: Report, recipes: Sequence[Recipe], given: argparse.Namespace) -> Report:
    """Apply fixes until none is left: one may uncover the next, or overlap it."""
    total = 0
    for _ in range(ROUNDS):
        changed = fix(report)
        if not changed:
            break
        total += changed
        report = _filtered(checked(recipes), given)
    if total:
        print(f"Fixed {total} place{'s' * (total != 1)}.", file=sys.stderr)
    return report


def _shown(report: Report, form: str) -> str:
    if form == "json":
        from ...compiler.formats import render_json

        return render_json(report)
    if form == "github":
        from ...compiler.formats import render_github

        return render_github(report)
    from ...compiler.render import render

    return render(report, colour=coloured(sys.stdout), width=width(), limit=SHOWN)


def _recipes(given: argparse.Namespace) -> list[Recipe]:
    """The recipes that paths name, each once. Raises `RecipeNotFoundError`."""
    from ..api import Recipe
    from ..project import find_project

    paths: list[Path | None] = [f for path in given.paths for f in _beneath(Path(path))]
    projects = [find_project(path, allow_outside=given.allow_outside) for path in paths or [None]]
    return [
        Recipe(project, given.profile, tuple(given.set))
        for project in {p.recipe: p for p in projects}.values()
    ]


def _beneath(path: Path) -> list[Path]:
    """The recipe files that a path stands for; the path itself if there are none."""
    from ..project import RECIPE

    if path.is_dir() and not (path / RECIPE).is_file():
        return list(_inside(path)) or [path]
    if path.is_file() and path.suffix not in (".yaml", ".yml"):  # a prompt: its recipe is above it
        above = (folder / RECIPE for folder in Path(path).absolute().parents)
        return [next((p for p in above if p.is_file()), path)]
    return [path]


def _inside(folder: Path) -> Iterator[Path]:
    """Recipes below a folder; what a recipe's own folder holds below it, copies too, is its."""
    from ..project import RECIPE

    if (folder / RECIPE).is_file():
        yield folder / RECIPE
        return
    for below in sorted(folder.iterdir()):
        if below.is_dir() and not below.is_symlink() and not below.name.startswith("."):
            yield from _inside(below)


def checked(recipes: Sequence[Recipe]) -> Report:
    """One report of several recipes; what two of them share is told once."""
    reports = [recipe.check() for recipe in recipes]
    if len(reports) == 1:
        return reports[0]
    counts = {"prompt": 0, "step": 0}
    for report in reports:
        for number, what in _COUNTED.findall(report.summary):
            counts[what] += int(number)
    told = ", ".join(f"{n} {what}{'s' * (n != 1)}" for what, n in counts.items())
    return Report(
        in_order(d for report in reports for d in report.diagnostics),
        {file: text for report in reports for file, text in report.files.items()},
        f"Checked {len(reports)} recipes, {told}",
    )


def _filtered(report: Report, given: argparse.Namespace) -> Report:
    """The report without what `--select` leaves out and `--ignore` names."""
    select, ignore = _codes(given.select), _codes(given.ignore)
    kept = tuple(
        d
        for d in report.diagnostics
        if (not select or d.code.startswith(select)) and not d.code.startswith(ignore)
    )
    return replace(report, diagnostics=kept)


def _codes(given: Iterable[str]) -> tuple[str, ...]:
    """`["p,B55", "S"]` as `("P", "B55", "S")`."""
    parts = (part.strip().upper() for item in given for part in item.split(","))
    return tuple(part for part in parts if part)


def _unknown_codes(given: Iterable[str]) -> str | None:
    from ...compiler.codes import CODES
    from ...compiler.suggest import nearest

    for code in _codes(given):
        if not any(known.startswith(code) for known in CODES):
            close = nearest(code, CODES) if len(code) > 1 else None
            families = ", ".join(sorted({known[0] for known in CODES}))
            hint = f"did you mean {close}?" if close else f"the families are {families}"
            return f"no diagnostic's code begins with {code}; {hint}"
    return None


def fix(report: Report) -> int:
    """Apply the edits of a report to its files; comments and layout stay. Raises `OSError`.

    Returns:
        How many edits were applied.
    """
    texts, count = mended(report)
    for file, text in texts.items():
        Path(file).write_text(text, encoding="utf-8", newline="")
    return count


def mended(report: Report) -> tuple[dict[str, str], int]:
    """The texts that the edits of a report change, by file, and how many edits were applied.

    Of two edits that overlap the first is applied: checking again shows whether the other still
    stands. What was typed after `--set` is not in any file.
    """
    by_file: dict[str, list[Edit]] = {}
    for diagnostic in report.diagnostics:
        for edit in diagnostic.fix:
            if not edit.span.file.startswith("--set"):
                by_file.setdefault(edit.span.file, []).append(edit)
    count = 0
    texts: dict[str, str] = {}
    for file, edits in by_file.items():
        text = report.files[file]
        made, end = [], 0
        for edit in sorted(set(edits), key=lambda e: (e.span.start, e.span.end)):
            if edit.span.start < end:
                continue
            made += [text[end : edit.span.start], edit.replacement]
            end = edit.span.end
            count += 1
        texts[file] = "".join([*made, text[end:]])
    return texts, count


def _explain(code: str) -> int:
    from ...compiler.codes import CODES

    if code.upper() not in CODES:
        return fail(f"no diagnostic is called {code}", USAGE)
    row = CODES[code.upper()]
    print(f"{code.upper()} {row.slug} ({row.severity})\n\n{row.explanation}")
    return 0
