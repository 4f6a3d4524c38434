"""`mashbill calibrate`: a check's error rates on labelled rows, and the threshold to take."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .command import USAGE, coloured, fail, recipe_arguments, split_recipe, width

if TYPE_CHECKING:
    from ..calibration.calibrate import Calibration, Watch

MISTAKES = 5
"""Shown of each sort by `-v`."""


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    sub.add_argument(
        "words",
        nargs="*",
        metavar="[RECIPE] CHECK",
        help="a check of the recipe (book.facts), or a kind (facts) with --set of its parameters",
    )
    sub.add_argument("--data", required=True, metavar="FILE", help="labelled rows")
    sub.add_argument("--label", metavar="COLUMN", help="true or 1 for rows to keep")
    sub.add_argument(
        "--kind", metavar="COLUMN", help="what is wrong with a bad row: text or a list"
    )
    sub.add_argument("--where", metavar="EXPR", help="only these rows: style == 'textbook'")
    sub.add_argument("--group", metavar="COLUMN", help="rows that have it in common share a fold")
    sub.add_argument(
        "--map", action="append", default=[], metavar="A=B",
        help="the check's column A is the data's column B: input.text=source",
    )  # fmt: skip
    sub.add_argument(
        "--by",
        metavar="WHAT",
        help="choose a threshold: a parameter (numbers, numbers=0.5:1:0.05), or a number of the "
        "evidence (score, score>=)",
    )
    sub.add_argument("--precision", metavar="P", help="that the threshold is to reach (0.95)")
    sub.add_argument(
        "--wrong", metavar="SHARE", help="of wrong rows in the pool: 30%% (that of the data)"
    )
    sub.add_argument("-v", "--verbose", action="store_true", help="show rows it is wrong about")
    sub.add_argument("-o", dest="output", metavar="FILE", help="write all of it as JSON")
    recipe_arguments(sub, positional=False)


def act(given: argparse.Namespace) -> int:
    """Calibrate a check."""
    from ..calibration.labelled import CalibrationError

    named, words = split_recipe(given.words)
    if len(words) != 1:
        return fail("name one check: mashbill calibrate book.facts --data FILE", USAGE)
    try:
        precision = _share("--precision", given.precision)
        wrong = _share("--wrong", given.wrong)
        if precision is not None and given.by is None:
            return fail("--precision needs --by: what is the threshold of?", USAGE)
        found = _calibrated(given, named, words[0], precision or 0.95, wrong)
    except CalibrationError as error:
        return fail(str(error))
    value = found.to_json(wrong)
    if given.output:
        text = json.dumps(value, indent=1, ensure_ascii=False, default=str)
        Path(given.output).write_text(text + "\n", encoding="utf-8")
    if given.format == "json":
        print(json.dumps(value, indent=1, ensure_ascii=False, default=str))
    else:
        shown = MISTAKES if given.verbose else 0
        _print(found.text(wrong, width=width(), mistakes=shown))
    return 0


def _calibrated(
    given: argparse.Namespace, named: str | None, check: str, precision: float, wrong: float | None
) -> Calibration:
    from ..api import Recipe
    from ..calibration.measure import Asked, measure
    from ..project import find_project

    asked = Asked(
        label=given.label,
        kind=given.kind,
        group=given.group,
        names=_names(given.map),
        where=given.where,
        sets=tuple(given.set),
        by=given.by,
        precision=precision,
        wrong=wrong,
    )
    recipe: Recipe | None = None
    if named is not None or "." in check:
        project = find_project(named, allow_outside=given.allow_outside)
        recipe = Recipe(project, given.profile)

    def spends(models: tuple[str, ...], rows: int) -> None:
        told = ", ".join(f"`{model}`" for model in models)
        sys.stderr.write(f"asks {told} about {rows:,} rows; the ledger keeps what is paid for\n")

    with _watching() as watch:
        return measure(check, given.data, asked, recipe=recipe, watch=watch, spends=spends)


def _names(given: Sequence[str]) -> dict[str, str]:
    from ..calibration.labelled import CalibrationError

    names: dict[str, str] = {}
    for one in given:
        new, _, old = (part.strip() for part in one.partition("="))
        if not new or not old:
            raise CalibrationError(f"--map {one}: write CHECK_COLUMN=DATA_COLUMN")
        names[new] = old
    return names


def _share(flag: str, text: str | None) -> float | None:
    from ...compiler.quantities import parse_share
    from ..calibration.labelled import CalibrationError

    if text is None:
        return None
    found = parse_share(text)
    if isinstance(found, str):
        raise CalibrationError(f"{flag} {text}: {found}")
    return float(found)


@contextmanager
def _watching() -> Iterator[Watch | None]:
    """A bar on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    columns = (TextColumn("judged"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("judged", total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)


def _print(text: str) -> None:
    """The first line bold on a terminal."""
    first, _, rest = text.partition("\n")
    bold, end = ("\033[1m", "\033[0m") if coloured(sys.stdout) else ("", "")
    print(f"{bold}{first}{end}\n{rest}")
