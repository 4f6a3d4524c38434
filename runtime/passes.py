"""How often ladders are gone down: once, and once more for each `run --retry rejected`.

What a data set holds depends on it, and its plan does not say it: so it stands in the record of
each run, and a run of the same plan, with `--replay` too, does as the last one did.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .progress.journal import BEGUN


def passes_of(state: Path, plan: str, standing: Mapping[str, Any] | None) -> int:
    """The passes of the last run of a plan, whether it came to its end or not; 1 without one.

    Args:
        state: The project's `.mashbill`.
        plan: Digest of the plan.
        standing: The record of the data set that stands in its output folder, if one does.
    """
    return next(_found(state, BEGUN, plan), None) or _standing(plan, standing)


def next_passes(state: Path, plan: str, standing: Mapping[str, Any] | None) -> int:
    """One more than the last run of a plan that came to its end has made.

    As many as ever where none did: there is nothing yet to try again.
    """
    if (done := next(_found(state, "record.json", plan), None)) is not None:
        return done + 1
    whole = bool(standing and standing.get("plan") == plan and standing.get("status") == "done")
    return passes_of(state, plan, standing) + whole


def _standing(plan: str, record: Mapping[str, Any] | None) -> int:
    return int(record.get("passes", 1)) if record and record.get("plan") == plan else 1


def _found(state: Path, name: str, plan: str) -> Iterator[int]:
    """What the runs of a plan say, the latest first; of records, those of whole data sets."""
    folders = sorted((state / "runs").glob("r-*"), key=lambda p: (len(p.name), p.name))
    for folder in reversed(folders):
        try:
            value = json.loads((folder / name).read_text("utf-8"))
        except (OSError, ValueError):
            continue
        whole = name == BEGUN or value.get("status") == "done"
        if whole and value.get("plan") == plan:
            yield int(value.get("passes", 1))
