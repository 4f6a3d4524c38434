"""What earlier runs and pilots of a data set have spent: caps count until the data set is done.

`runs/<id>/spent.json` (of pilots and previews: `pilots/<id>/spent.json`) holds what a run may have
spent, by cap. It is written whole, in strides and ahead of use, so that a run that was killed is
never taken to have spent less than it did; at its end it holds the exact figures.
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
    """Spending of earlier runs and pilots, by path of its cap, and which they were."""

    spent: Mapping[str, int] = field(default_factory=dict)
    runs: tuple[str, ...] = ()


def carried(state: Path, recipe: str, own: str) -> Carry:
    """What the runs and pilots of a recipe have spent since the last run that was done.

    Args:
        state: The folder that holds `runs` and `pilots`.
        recipe: The recipe's name.
        own: Id of the run or pilot that asks. Runs after it are counted too: they may be under way.
    """
    spent: Counter[str] = Counter()
    runs: list[str] = []
    for folder in sorted([*state.glob("runs/r-*"), *state.glob("pilots/p-*")], key=_place):
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


def new_pilot(state: Path) -> RunFolder:
    """Make the folder of a new pilot, whose name says after which run it came. Raises `OSError`."""
    last = max((_place(p)[0] for p in state.glob("runs/r-*")), default=0)
    (state / "pilots").mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        folder = state / "pilots" / f"p-{last:04d}-{number}"
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
            continue
        return RunFolder(folder)


def _place(folder: Path) -> tuple[int, int]:
    """Order of runs and pilots: `r-0003`, then `p-0003-1`."""
    numbers = [int(part) if part.isdigit() else 0 for part in folder.name.split("-")[1:]]
    return (numbers[0] if numbers else 0), (numbers[1] if len(numbers) > 1 else 0)


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
