"""What models did in earlier runs of this project, and in what time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...compiler.budgets import OWN_HARDWARE
from ..runs import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

    from ...compiler.plan import Plan

RUNS = 3
"""The newest runs that count for a model."""
_LOOKED_AT = 30
_FEWEST_TOKENS, _FEWEST_SECONDS = 500, 2.0
"""Below these a run says more about its start and end than about the model."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a model did in one run.

    Attributes:
        run: Its name: `r-0004`.
        prompt: Tokens of prompts.
        reply: Tokens of replies.
        seconds: GPU-seconds at work (seconds of the machine, for engine `local`): all GPUs of the
            plan count, whether used or not.
    """

    run: str
    prompt: float
    reply: float
    seconds: float


def past_work(plan: Plan, state: Path) -> dict[str, list[Work]]:
    """By model of the plan, what it did in the newest runs: same weights, placement and GPU."""
    wanted = {
        name: _key(model, plan.hardware)
        for name, model in plan.models.items()
        if model["engine"] in OWN_HARDWARE and model.get("digest")
    }
    found: dict[str, list[Work]] = {name: [] for name in wanted}
    for run in _newest(state) if wanted else ():
        for key, work in _done(run):
            for name, own in wanted.items():
                if own == key and len(found[name]) < RUNS:
                    found[name].append(work)
        if all(len(works) == RUNS for works in found.values()):
            break
    return {name: works for name, works in found.items() if works}


def _newest(state: Path) -> Iterator[RunFolder]:
    """The newest runs, from the last on."""
    folders = sorted((state / "runs").glob("r-*"), key=lambda p: (len(p.name), p.name))
    return map(RunFolder, reversed(folders[-_LOOKED_AT:]))


def _done(run: RunFolder) -> list[tuple[Any, Work]]:
    """Of each model of a run, what it was and did; nothing where its files are not whole."""
    record = run.record() or {}
    found = []
    try:
        plan = json.loads((run.path / "plan.json").read_text("utf-8"))
        hardware: Mapping[str, Any] = plan.get("hardware") or {}
        for name, stats in (record.get("models") or {}).items():
            model = plan["models"][name]
            gpus = 1 if model["engine"] == "local" else int(hardware.get("count") or 1)
            work = Work(
                run.id,
                float(stats["prompt_tokens"]),
                float(stats["completion_tokens"]),
                float(stats.get("at_work") or stats["seconds"]) * gpus,
            )
            enough = work.prompt + work.reply >= _FEWEST_TOKENS
            if enough and work.seconds >= _FEWEST_SECONDS * gpus:
                found.append((_key(model, hardware), work))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
    return found


def _key(model: Mapping[str, Any], hardware: Mapping[str, Any] | None) -> Any:
    """What must be the same for its pace to hold."""
    gpu = "" if model["engine"] == "local" else str((hardware or {}).get("gpu") or "auto")
    placement = json.dumps(model.get("placement") or {}, sort_keys=True)
    return (model["engine"], model.get("digest"), gpu, placement)
