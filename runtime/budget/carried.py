"""What earlier runs of a data set have spent: caps count until the data set is done.

`runs/<id>/spent.json` holds what a run may have spent, by cap. It is written whole, in strides and
ahead of use, so that a run that was killed is never taken to have spent less than it did; at its
end it holds the exact figures.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..runs import RunFolder

SPENT = "spent.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Carry:
    """Spending of earlier runs, by path of its cap, and which runs they were."""

    spent: Mapping[str, int] = field(default_factory=dict)
    runs: tuple[str, ...] = ()


def carried(state: Path, recipe: str, own: str) -> Carry:
    """What the runs of a recipe have spent since the last one that was done.

    Args:
        state: The folder that holds `runs`.
        recipe: The recipe's name.
        own: Id of the run that asks. Runs after it are counted too: they may be under way.
    """
    spent: Counter[str] = Counter()
    runs: list[str] = []
    for folder in sorted((state / "runs").glob("r-*"), key=lambda p: (len(p.name), p.name)):
        run = RunFolder(folder)
        record = run.record() or {}
        made = _read(folder / SPENT)
        name = made.get("recipe") if made else record.get("recipe", {}).get("name")
        if name != recipe or run.id == own:
            continue
        if record.get("status") == "done":
            spent.clear()
            runs.clear()
        elif made and any(made["spent"].values()):
            spent.update(made["spent"])
            runs.append(run.id)
    return Carry(dict(spent), tuple(runs))


def write_spent(folder: RunFolder, recipe: str, spent: Mapping[str, int], exact: bool) -> None:
    """Write what a run may have spent. Raises `OSError`."""
    folder.write(
        SPENT,
        {"mashbill_spent": FORMAT, "recipe": recipe, "exact": exact, "spent": dict(spent)},
    )


def _read(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(value, dict) or value.get("mashbill_spent") != FORMAT:
        return None
    spent = value.get("spent")
    sound = isinstance(spent, dict) and all(type(n) is int for n in spent.values())
    return value if sound else None
