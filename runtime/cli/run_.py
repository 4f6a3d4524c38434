"""`mashbill run`."""

from __future__ import annotations

import argparse
import json
import sys

from .command import recipe_arguments, width
from .lock_ import refuse

STALE = 6
"""Exit code: the lock is missing or out of date, and `--locked` was given."""


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    recipe_arguments(sub)
    sub.add_argument("--replay", action="store_true", help="take every completion from the ledger")
    sub.add_argument("--replace", action="store_true", help="overwrite another plan's data set")
    sub.add_argument(
        "--locked", action="store_true", help="refuse if recipe.lock is missing or out of date"
    )
    sub.add_argument("-q", "--quiet", action="store_true", help="no progress")


def act(given: argparse.Namespace) -> int:
    """Plan and run a recipe."""
    from ..api import load_sets
    from ..execute import RunError
    from ..output import output_of
    from ..progress import watcher
    from .plan_ import show_warnings
    from .report import summary

    recipe = load_sets(given)
    plan = recipe.plan(survey=False)
    if given.locked and plan.lock and not plan.lock.ok:
        return refuse(plan.lock, STALE)
    output = output_of(plan.record, recipe.project)
    if not plan.missing and output.complete(plan.record.digest):
        where = recipe.project.shown_path(output.path)
        print(f"Nothing to do: {where} holds the data set of this plan.")
        return 0
    if not plan.missing:
        plan.measure()
        show_warnings(plan)
        if not given.quiet:
            sys.stderr.write(plan.text(width()) + "\n\n")
    watch = None if given.quiet else watcher(sys.stderr)
    try:
        run = plan.run(replay=given.replay, replace=given.replace, watch=watch)
    except RunError as error:
        if error.status == "paused":
            sys.stderr.write(
                "Paused: every finished completion is saved.    go on:  mashbill run\n"
            )
            return error.code
        raise
    if given.format == "json":
        print(
            json.dumps(dict(run.record), sort_keys=True, indent=1, ensure_ascii=False, default=str)
        )
    else:
        print(summary(run))
    return 1 if run.record["errors"] else 0
