"""`mashbill plan`."""

from __future__ import annotations

import argparse
import json

from .command import recipe_arguments, width


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    recipe_arguments(sub)


def act(given: argparse.Namespace) -> int:
    """Print the plan."""
    from ..api import load_sets

    plan = load_sets(given).plan()
    show_warnings(plan)
    if given.format == "json":
        value = plan.record.to_json()
        value["estimates"] = plan.estimates.to_json() if plan.estimates else None
        print(json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False))
    else:
        print(plan.text(width()))
    return 1 if plan.missing else 0


def show_warnings(plan: object) -> None:
    """Print what the survey noticed, to stderr."""
    import sys

    from ...compiler.diagnostics import Report
    from ...compiler.render import render
    from ..api import Plan
    from .command import coloured

    assert isinstance(plan, Plan)
    found = [*plan.compiled.report.diagnostics, *plan.warnings]
    if found:
        report = Report(tuple(found), plan.compiled.report.files)
        sys.stderr.write(render(report, colour=coloured(sys.stderr), width=width()) + "\n\n")
