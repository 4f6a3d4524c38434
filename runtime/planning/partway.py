"""Runs that end after a step, as `--until` asks: what is paid for is kept, no data set is made.

Their record says `paused`: rows wait for another run, and what was spent counts for its caps.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...compiler.until import UNTIL
from ..runs import RunFolder, past_runs


def early(recipe: Mapping[str, Any]) -> str:
    """The step that a plan ends after, given its `recipe`; empty for a whole plan."""
    return str(recipe.get(UNTIL) or "")


def unfinished(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record of such a run: it wrote no rows, and another goes on with it."""
    output = {**record["output"], "shards": [], "rows": 0}
    return {**record, "status": "paused", "output": output}


def ending(step: str) -> str:
    """Why such a run has ended."""
    return f"ended after `{step}`, as asked"


def whole(go_on: str) -> str:
    """The command that goes on to the end, given the one that ended early.

    >>> whole("mashbill run a.yaml --until book --allow-outside")
    'mashbill run a.yaml --allow-outside'
    """
    words = shlex.split(go_on)
    if "--until" in words:
        at = words.index("--until")
        del words[at : at + 2]
    return shlex.join(words)


def last_whole_run(state: Path, recipe: str) -> tuple[RunFolder, Mapping[str, Any]] | None:
    """The latest run of a recipe that was to make its data set; else the latest of any."""
    partway: tuple[RunFolder, Mapping[str, Any]] | None = None
    for run in reversed(past_runs(state)):
        record = run.record() or {}
        if record.get("recipe", {}).get("name") != recipe:
            continue
        if not early(record["recipe"]):
            return run, record
        partway = partway or (run, record)
    return partway
