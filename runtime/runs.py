"""Run records: what was planned, what happened, where the data set is."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..compiler.meaning import Meaning

IDENTITY = "identity.json"
"""What decided the results of a run: the canonical hash input of every step."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of a run: `record.json`, `plan.json`, `identity.json`, `errors.jsonl`.

    A spool too while it runs.
    """

    path: Path

    @property
    def id(self) -> str:
        """Its name, such as `r-0001`."""
        return self.path.name

    def write(self, name: str, value: Any) -> None:
        """Write a JSON file, whole or not at all. Raises `OSError`."""
        write_whole(self.path / name, dump_json(value))

    def record(self) -> dict[str, Any] | None:
        """The run's record; None if it has none, or a torn one."""
        try:
            value = json.loads((self.path / "record.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return value if isinstance(value, dict) else None

    def meaning(self) -> Meaning | None:
        """What decided its results; of a run that did not store it, what its plan says."""
        from ..compiler.meaning import Meaning, meaning_of
        from ..compiler.plan import Plan

        try:
            return Meaning.from_json(json.loads((self.path / IDENTITY).read_text("utf-8")))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            pass
        try:
            return meaning_of(Plan.load((self.path / "plan.json").read_text("utf-8")))
        except (OSError, ValueError, TypeError, KeyError):
            return None


def dump_json(value: Any) -> str:
    """JSON for people: sorted, indented."""
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, default=str) + "\n"


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees all of it or the old one. Raises `OSError`."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8", newline="") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(path)


def new_run(state: Path) -> RunFolder:
    """Make the folder of a new run; two processes never get the same. Raises `OSError`."""
    runs = state / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    number = max((int(p.name[2:]) for p in runs.glob("r-*") if p.name[2:].isdigit()), default=0)
    while True:
        number += 1
        try:
            (runs / f"r-{number:04d}").mkdir()
        except FileExistsError:
            continue
        return RunFolder(runs / f"r-{number:04d}")


def past_runs(state: Path) -> list[RunFolder]:
    """Runs that have a record, oldest first."""
    folders = sorted((state / "runs").glob("r-*"), key=lambda p: (len(p.name), p.name))
    return [run for p in folders if (run := RunFolder(p)).record() is not None]


def last_run(state: Path, recipe: str) -> tuple[RunFolder, Mapping[str, Any]] | None:
    """The latest run of a recipe, and its record."""
    for run in reversed(past_runs(state)):
        record = run.record()
        if record and record.get("recipe", {}).get("name") == recipe:
            return run, record
    return None
