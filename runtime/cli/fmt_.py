"""`mashbill fmt`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ...compiler.layout.canonical import Formatted, LayoutError, format_recipe
from .command import coloured, fail, width

STDIN = "-"


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    sub.add_argument(
        "recipes", nargs="*", metavar="RECIPE", help="folders or files; - formats standard input"
    )
    sub.add_argument("--check", action="store_true", help="write nothing; exit 1 if it would")
    sub.add_argument("--diff", action="store_true", help="write nothing; show what would change")


def act(given: argparse.Namespace) -> int:
    """Format recipes; the exit code is 1 if one has errors, or would change and must not."""
    from ..project import find_project

    if given.recipes == [STDIN]:
        return _stdin()
    files = [find_project(name).recipe for name in given.recipes or [None]]
    codes = [_file(Path(file), given) for file in dict.fromkeys(files)]
    return max(codes)


def _file(file: Path, given: argparse.Namespace) -> int:
    from ...compiler.document import decode
    from ..project import find_project

    shown = find_project(file).shown_path(file)
    data = file.read_bytes()
    text, problems = decode(data, shown)
    if text is None:
        _show(Formatted(data.decode("utf-8", "replace"), problems), shown)
        return 1
    try:
        made = _formatted(text, shown)
    except LayoutError as error:
        return fail(str(error))
    if made is None:
        return 1
    if made == text:
        return 0
    if given.diff:
        _show_diff(text, made, shown)
    elif given.check:
        print(f"would format {shown}    do it:  mashbill fmt {shown}")
    else:
        file.write_text(made, encoding="utf-8", newline="")
        print(f"formatted {shown}")
    return 1 if given.check or given.diff else 0


def _stdin() -> int:
    try:
        made = _formatted(sys.stdin.read(), "standard input")
    except LayoutError as error:
        return fail(str(error))
    if made is not None:
        sys.stdout.write(made)
    return 0 if made is not None else 1


def _formatted(text: str, shown: str) -> str | None:
    """The text formatted; None if it has errors, which are shown."""
    from ..catalog import load_catalog

    found = format_recipe(text, load_catalog(), shown)
    if found.diagnostics:
        _show(found, shown)
        return None
    return found.text


def _show(found: Formatted, shown: str) -> None:
    from ...compiler.diagnostics import Report, in_order
    from ...compiler.render import render

    summary = f"{shown} is left as it is"
    report = Report(in_order(found.diagnostics), {shown: found.text}, summary)
    print(render(report, colour=coloured(sys.stderr), width=width()), file=sys.stderr)


def _show_diff(old: str, new: str, shown: str) -> None:
    from difflib import unified_diff

    paint = coloured(sys.stdout)
    colours = {"+": "\033[32m", "-": "\033[31m", "@": "\033[36m"}
    for line in unified_diff(
        old.splitlines(), new.splitlines(), shown, f"{shown} (formatted)", lineterm=""
    ):
        colour = colours.get(line[:1], "") if paint else ""
        print(f"{colour}{line}\033[0m" if colour else line)
