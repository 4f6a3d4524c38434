"""How fast models generated in earlier runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...compiler.budgets import OWN_HARDWARE
from ...compiler.estimating.facts import Speed
from .keys import gpu_of
from .priors import FADING, FEW, LEAST_SPREAD, MOST_RUNS, deviation
from .remembering import recalled

if TYPE_CHECKING:
    from ...compiler.plan import Plan
    from ..project import Project
    from .lines import Line

STEADY_SECONDS = 60.0
"""Of shorter work most is ramp-up and tail."""
STEADY, HASTY = 0.1, 0.3
"""Spread of a speed that was measured for as long, and for less, in too few runs to compare."""


def speeds_of(plan: Plan, project: Project) -> dict[str, Speed]:
    """By model on own hardware that earlier runs asked there: reply tokens a second of one GPU.

    The time of the prompts is in it. Models are known by digest, hardware by name.

    Args:
        plan: What would run.
        project: Whose history.
    """
    own = [m for m, said in plan.models.items() if said["engine"] in OWN_HARDWARE]
    known = recalled(project.state) if own else []
    found = {}
    for model in own:
        digest, gpu = str(plan.models[model].get("digest", "")), gpu_of(plan, model)
        runs: dict[str, tuple[float, float]] = {}
        for line in known:
            reply, _, seconds = line.work.get(digest, (0.0, 0.0, 0.0))
            if reply > 0 and seconds > 0 and _ran_on(line, gpu):
                before = runs.get(line.run, (0.0, 0.0))
                runs[line.run] = before[0] + reply, before[1] + seconds
        if digest and runs:
            found[model] = _speed(runs)
    return found


def _ran_on(line: Line, gpu: str) -> bool:
    """A step may ask several models on several engines; it is known by that of its own."""
    return line.key.gpu == gpu


def _speed(runs: Mapping[str, tuple[float, float]]) -> Speed:
    """Tokens and seconds of runs, the oldest first, as one speed."""
    recent = list(runs.items())[-MOST_RUNS:][::-1]
    weights = [seconds * FADING**age for age, (_, (_, seconds)) in enumerate(recent)]
    rates = [tokens / seconds for _, (tokens, seconds) in recent]
    speed = sum(w * rate for w, rate in zip(weights, rates, strict=True)) / sum(weights)
    seconds = sum(s for _, (_, s) in recent)
    spread = STEADY if seconds >= STEADY_SECONDS else HASTY
    if len(recent) >= FEW:
        spread = max(LEAST_SPREAD, deviation(rates, weights))
    more = f" and {len(recent) - 1} before" if len(recent) > 1 else ""
    return Speed(speed, None, spread, "h", f"measured in {recent[0][0]}{more}")
