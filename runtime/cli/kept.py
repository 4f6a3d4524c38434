"""What a run that ended early kept: rows of each step, replies, and what to type for the rest."""

from __future__ import annotations

import shlex
from pathlib import Path

from ...compiler.quantities import show_duration
from ..api import Recipe, Run
from ..planning.partway import early
from .report import audits, budget, errors, estimated, models, steps, warnings


def kept(run: Run, recipe: Recipe) -> str:
    """The end of `mashbill run --until STEP`.

    Args:
        run: That has ended.
        recipe: Whose step it is.
    """
    record = run.record
    step = early(record["recipe"])
    lines = [*steps(record["steps"]), *audits(record), *models(record["models"])]
    lines += [*estimated(record), *budget(record), *errors(record, run), *warnings(record)]
    replies = sum(m["sent"] - m["retried"] + m["reused"] for m in record["models"].values())
    rows = record["steps"].get(step, {}).get("out")
    counted = f": {rows:,} rows" if rows is not None else ""
    held = f", {replies:,} replies in the ledger" if record["models"] else ""
    lines.append(
        f"\nEnded after `{step}`{counted}{held}; no data set was written.   "
        f"(run {record['run']}, {show_duration(record['seconds'])})\n"
        f"The rest:  {_rest(recipe)}"
    )
    return "\n".join(lines).strip("\n")


def _rest(recipe: Recipe) -> str:
    """What makes the whole data set."""
    path = recipe.project.shown_path(recipe.project.recipe)
    words = ["mashbill", "run", *([path] if Path(path) != Path("recipe.yaml") else [])]
    words += ["--profile", recipe.profile] if recipe.profile else []
    for value in recipe.sets:
        words += ["--set", value]
    words += ["--allow-outside"] if recipe.project.allow_outside else []
    return shlex.join(words)
