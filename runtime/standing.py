"""Where runs stand: running, paused, failed, killed or done, by what they leave and hold."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from .planning.planned import planned_total
from .progress import Snapshot, is_alive
from .progress.journal import BEGUN, EVENTS, PROGRESS
from .progress.snapshot import Forecast, ModelView, StepView
from .runs import RunFolder

State = Literal["running", "paused", "failed", "killed", "done"]


@dataclass(frozen=True, slots=True)
class Standing:
    """A run as it stands now.

    Attributes:
        run: Its folder.
        state: What became of it. A killed run left no record, and nobody holds its locks.
        recipe: The recipe's name.
        begun: What it set out to do: `passes`, `retry`, `go_on`, `estimates`, `started`.
        record: Its record, once it has one.
        view: The last that was seen of it, if it was seen at all.
        since: When it came to be so, in seconds since 1970; None if nobody knows.
    """

    run: RunFolder
    state: State
    recipe: str
    begun: Mapping[str, Any]
    record: Mapping[str, Any] | None
    view: Snapshot | None
    since: float | None

    @property
    def problem(self) -> str:
        """What ended it before it was done."""
        found = self.record or {}
        return str(found.get("problem") or _ending(self.run.path).get("problem") or "")

    @property
    def go_on(self) -> str:
        """What to type to go on with it."""
        told = _ending(self.run.path).get("go_on") or self.begun.get("go_on")
        return str(told or "mashbill run")


def standing_of(folder: Path) -> Standing:
    """How a run stands, given its folder."""
    run = RunFolder(folder)
    begun = _read(folder / BEGUN)
    alive = is_alive(folder)  # first: a run that ends meanwhile has its record by then
    record = run.record()
    if record is not None and not {"steps", "models", "started", "seconds"} <= record.keys():
        record = None
    state: State = "killed"
    if record is not None:
        state = _state(record.get("status"))
    elif alive:
        state = "running"
    elif ending := _ending(folder):
        state = _state(ending.get("status"))
    try:
        view = Snapshot.from_json(_read(folder / PROGRESS))
    except (KeyError, TypeError):
        view = None
    if record is not None:
        view = _view(record, [n["name"] for n in _read(folder / "plan.json").get("nodes", ())])
    elif view is not None and state != "running":
        view = _still(view)
    recipe = begun.get("recipe") or (record or {}).get("recipe", {}).get("name", "")
    return Standing(run, state, str(recipe), begun, record, view, _since(folder, record, view))


def _view(record: Mapping[str, Any], order: Sequence[str]) -> Snapshot:
    """What a record says, as the last look at its run; steps in their order in the plan."""
    done = record.get("status") == "done"
    names = [n for n in order if n in record["steps"]]
    names += [n for n in record["steps"] if n not in names]
    steps = tuple(StepView.of(n, record["steps"][n], ended=done) for n in names)
    kept = ("sent", "reused", "shared", "retried", "prompt_tokens", "completion_tokens", "usd")
    models = tuple(
        ModelView(name, note=m.get("note", ""), **{k: m[k] for k in kept if k in m})
        for name, m in record["models"].items()
    )
    view = Snapshot(
        str(record["run"]),
        str(record["recipe"]["name"]),
        float(record["started"]) + float(record["seconds"]),
        float(record["seconds"]),
        int(record.get("passes", 1)),
        steps,
        models,
    )
    planned = planned_total(record.get("estimates")).get("reply_tokens")
    return replace(view, forecast=Forecast(planned=planned.value if planned else None))


def _still(view: Snapshot) -> Snapshot:
    """A run that nobody works on has no speed and no end in sight."""
    return replace(
        view,
        steps=tuple(replace(s, rate=0.0) for s in view.steps),
        models=tuple(replace(m, in_flight=0, waiting=0) for m in view.models),
        tokens_per_second=0.0,
        calls_per_second=0.0,
        forecast=replace(view.forecast, seconds=None),
    )


def _state(status: object) -> State:
    return "done" if status == "done" else "paused" if status == "paused" else "failed"


def _since(folder: Path, record: Mapping[str, Any] | None, view: Snapshot | None) -> float | None:
    if record is not None:
        return float(record["started"]) + float(record["seconds"])
    ending = _ending(folder)
    return float(ending["time"]) if ending else view.time if view else None


def find_runs(state: Path, recipe: str | None = None) -> list[Path]:
    """The folders of a recipe's runs, or of all, the latest first, whatever became of them."""
    folders = sorted((state / "runs").glob("r-*"), key=lambda p: (len(p.name), p.name))
    return [f for f in reversed(folders) if recipe is None or _recipe(f) == recipe]


def _recipe(folder: Path) -> str:
    """The recipe of a run; of one that was made before runs noted it, by its record."""
    if begun := _read(folder / BEGUN):
        return str(begun.get("recipe"))
    return str((RunFolder(folder).record() or {}).get("recipe", {}).get("name"))


def _ending(folder: Path) -> dict[str, Any]:
    """The last event of a run, if it is its end."""
    try:
        with (folder / EVENTS).open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - 65_536))
            last = file.read().splitlines()[-1:]
        value = json.loads(last[0]) if last else {}
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) and value.get("event") == "end" else {}


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def ago(since: float | None) -> str:
    """`3 min ago`."""
    if since is None:
        return ""
    seconds = max(time.time() - since, 0)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit} ago"
    return "just now"
