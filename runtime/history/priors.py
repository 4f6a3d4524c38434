"""What earlier runs say of the steps of a plan."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ...compiler.estimating.facts import Prior
from .keys import key_of
from .lines import Line
from .remembering import recalled

if TYPE_CHECKING:
    from ...compiler.plan import Plan
    from ..project import Project

FADING = 0.8
"""What a run counts beside the one after it, for models, data and prompts drift."""
MOST_RUNS = 20
"""Runs that are looked at, the latest first."""
ASSUMED_SPREAD = 0.25
"""From run to run, where fewer than `FEW` say."""
FEW = 3
LEAST_SPREAD = 0.05
UNLIKE = 0.35
"""Spread that is added where the prompt, a check or the ladder was another: two wordings of one
prompt."""


def priors(plan: Plan, project: Project) -> dict[str, Prior]:
    """By step that asks a model, where an earlier run had one like it.

    Runs whose step had the same model, prompt, checks and ladder count; where there are none, those
    that asked the same model by the same prompt file, with a wider spread. Of steps that only their
    checks ask for, `rows_out` alone means something.

    Args:
        plan: What would run.
        project: Whose history.
    """
    asking = [n for n in plan.nodes if n.asked]
    known = recalled(project.state) if asking else []
    found: dict[str, Prior] = {}
    for node in asking:
        key = key_of(plan, node)
        like = [line for line in known if line.key.same(key)]
        if like:
            found[node.name] = pooled(like)
        elif like := [line for line in known if line.key.similar(key)]:
            found[node.name] = pooled(like, UNLIKE)
    return found


def pooled(lines: Sequence[Line], unlike: float = 0.0) -> Prior:
    """Several runs as one prior.

    Args:
        lines: The oldest first; at least one.
        unlike: A spread to add to what they show.
    """
    recent = list(lines)[-MOST_RUNS:][::-1]
    weights = [line.rows * FADING**age for age, line in enumerate(recent)]

    def mean(of: Callable[[Line], float]) -> float:
        values = zip(weights, map(of, recent), strict=True)
        return sum(w * value for w, value in values) / sum(weights)

    calls = mean(lambda line: line.calls)
    prompt = mean(lambda line: line.calls * line.prompt)
    reply = mean(lambda line: line.calls * line.reply)
    return Prior(
        runs=len({line.run for line in recent}),
        rows=sum(line.rows for line in recent),
        calls=calls,
        reply=reply / calls if calls else 0.0,
        reply_ratio=reply / prompt if prompt else 0.0,
        rows_out=mean(lambda line: line.rows_out),
        spread=math.hypot(spread_of(recent, weights), unlike),
    )


def spread_of(lines: Sequence[Line], weights: Sequence[float]) -> float:
    """How far the means of runs lie apart: the widest of calls, replies and rows out."""
    if len({line.run for line in lines}) < FEW:
        return ASSUMED_SPREAD
    return max(LEAST_SPREAD, *(deviation(v, weights) for v in _means(lines)))


def deviation(values: Sequence[float], weights: Sequence[float]) -> float:
    """Weighted standard deviation of the logarithms, corrected for the few that there are."""
    if min(values) <= 0:
        return 0.0
    whole = sum(weights)
    logs = [math.log(v) for v in values]
    middle = sum(w * x for w, x in zip(weights, logs, strict=True)) / whole
    square = sum(w * (x - middle) ** 2 for w, x in zip(weights, logs, strict=True)) / whole
    left = 1 - sum(w * w for w in weights) / whole**2
    return math.sqrt(square / left) if left > 0 else 0.0


def _means(lines: Sequence[Line]) -> Iterator[list[float]]:
    yield [line.calls for line in lines]
    yield [line.reply for line in lines]
    yield [line.rows_out for line in lines]
