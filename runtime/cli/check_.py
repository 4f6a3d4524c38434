"""`mashbill check`."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

from ...compiler.diagnostics import Edit, Report
from .command import coloured, recipe_arguments, width


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    recipe_arguments(sub)
    sub.add_argument("--fix", action="store_true", help="mend what can be mended safely")
    sub.add_argument("--explain", metavar="CODE", help="what a diagnostic's code means")


def act(given: argparse.Namespace) -> int:
    """Check a recipe."""
    if given.explain:
        return _explain(given.explain)
    from ..api import load_sets

    started = time.monotonic()
    recipe = load_sets(given)
    report = recipe.check()
    if given.fix and (changed := fix(report)):
        print(f"Fixed {changed} place{'s' * (changed != 1)}.", file=sys.stderr)
        report = recipe.check()
    if report.summary:
        seconds = time.monotonic() - started
        report = replace(report, summary=f"{report.summary} in {seconds:.2f} s")
    if given.format == "json":
        from ...compiler.formats import render_json

        print(render_json(report))
    else:
        from ...compiler.render import render

        print(render(report, colour=coloured(sys.stdout), width=width()))
    return 0 if report.ok else 1


def fix(report: Report) -> int:
    """Apply the edits of a report to its files; comments and layout stay. Raises `OSError`.

    Of two edits that overlap the first is applied: checking again shows whether the other still
    stands. What was typed after `--set` is not in any file.

    Returns:
        How many edits were applied.
    """
    by_file: dict[str, list[Edit]] = {}
    for diagnostic in report.diagnostics:
        for edit in diagnostic.fix:
            if not edit.span.file.startswith("--set"):
                by_file.setdefault(edit.span.file, []).append(edit)
    count = 0
    for file, edits in by_file.items():
        text = report.files[file]
        made, end = [], 0
        for edit in sorted(set(edits), key=lambda e: (e.span.start, e.span.end)):
            if edit.span.start < end:
                continue
            made += [text[end : edit.span.start], edit.replacement]
            end = edit.span.end
            count += 1
        data = "".join([*made, text[end:]])
        Path(file).write_text(data, encoding="utf-8", newline="")
    return count


def _explain(code: str) -> int:
    from ...compiler.codes import CODES
    from .command import USAGE, fail

    if code.upper() not in CODES:
        return fail(f"no diagnostic is called {code}", USAGE)
    row = CODES[code.upper()]
    print(f"{code.upper()} {row.slug} ({row.severity})\n\n{row.explanation}")
    return 0
