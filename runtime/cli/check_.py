"""`mashbill check`."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace

from .command import coloured, recipe_arguments, width


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    recipe_arguments(sub)
    sub.add_argument("--explain", metavar="CODE", help="what a diagnostic's code means")


def act(given: argparse.Namespace) -> int:
    """Check a recipe."""
    if given.explain:
        return _explain(given.explain)
    from ...compiler.render import render, render_json
    from ..api import load_sets

    started = time.monotonic()
    report = load_sets(given).check()
    if report.summary:
        seconds = time.monotonic() - started
        report = replace(report, summary=f"{report.summary} in {seconds:.2f} s")
    if given.format == "json":
        print(render_json(report))
    else:
        print(render(report, colour=coloured(sys.stdout), width=width()))
    return 0 if report.ok else 1


def _explain(code: str) -> int:
    from ...compiler.codes import CODES
    from .command import USAGE, fail

    if code.upper() not in CODES:
        return fail(f"no diagnostic is called {code}", USAGE)
    row = CODES[code.upper()]
    print(f"{code.upper()} {row.slug} ({row.severity})\n\n{row.explanation}")
    return 0
