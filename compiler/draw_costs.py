"""How many draws a stop is expected to take."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from math import ceil, comb
from typing import Any

from .plan import Plan, PlanNode

ASSUMED_AGREE = 0.6
"""Share of the draws of a row that give its most frequent answer, where nothing else says."""


def drawn_share(until: Mapping[str, Any] | None, samples: int, accepted: float) -> float:
    """Expected share of `samples` that is drawn.

    The draws are taken as independent, the same for every row. Until `k` of them are accepted, a
    row takes the draws of a negative binomial distribution, cut off at `samples`:
    `Σ_d P(Bin(d, p) < k)` over `d < samples`; with a pilot, over the outcomes of the pilot. Until a
    vote is decided, `ASSUMED_AGREE` of the draws are taken to give one answer and the others each
    one of their own.

    Args:
        until: As bound; None for all samples.
        samples: Draws of a row at most.
        accepted: Share of draws that pass.
    """
    if until is None:
        return 1.0
    if "accepted" in until:
        return _until_accepted(samples, until["accepted"], until["pilot"], accepted)[0] / samples
    needed = max(1, ceil(until["agree"] * samples - 1e-9))
    take = until["take"] or samples
    drawn = 0.0
    for draws in range(samples):
        left = samples - draws
        # Open while another answer could win, or the share is neither reached nor out of reach.
        for votes in range(max(0, needed - left), draws + 1):
            rivals = min(1, draws - votes)
            if votes < max(needed, take, left + rivals):
                drawn += _binomial(draws, ASSUMED_AGREE * accepted, votes)
    return min(1.0, drawn / samples)


def made_share(until: Mapping[str, Any] | None, samples: int, accepted: float) -> float:
    """Expected rows of a source row, as a share of `samples`. Arguments as in `drawn_share`."""
    if until is None:
        return accepted
    if "accepted" in until:
        return _until_accepted(samples, until["accepted"], until["pilot"], accepted)[1] / samples
    return drawn_share(until, samples, accepted) * accepted


@cache
def _until_accepted(samples: int, wanted: int, pilot: int, p: float) -> tuple[float, float]:
    """Expected draws and accepted draws of a row."""
    drawn = kept = 0.0
    for passed in range(pilot + 1):
        chance = _binomial(pilot, p, passed)
        goal = max(1, ceil(wanted * (pilot - passed) / pilot)) if pilot else wanted
        lacking = max(0, goal - passed)
        more = sum(
            _binomial(further, p, got)
            for further in range(samples - pilot)
            for got in range(min(lacking, further + 1))
        )
        late = (_binomial(samples - pilot, p, n) * min(n, lacking) for n in range(samples + 1))
        drawn += chance * (pilot + more)
        kept += chance * (min(goal, passed) + sum(late))
    return drawn, kept


def _binomial(draws: int, p: float, hits: int) -> float:
    """P(Bin(draws, p) = hits)."""
    if not 0 <= hits <= draws:
        return 0.0
    return float(comb(draws, hits)) * p**hits * (1 - p) ** (draws - hits)


def let_in(wanted: int, candidates: int, rows: float, accepted: float) -> float:
    """Expected share of the rows before a step that is fed: as many as yield what is wanted."""
    return min(1.0, min(candidates, wanted / accepted) / rows) if rows else 1.0


def drawing(node: PlanNode, plan: Plan) -> set[str]:
    """The steps that draw what a step chooses among, the lowest on each way down."""
    nodes, found = {n.name: n for n in plan.nodes}, set[str]()
    todo = [(name, "") for name, _ in node.inputs]
    while todo:
        name, lowest = todo.pop()
        samples = (nodes[name].definition.get("params") or {}).get("samples") or 1
        lowest = name if samples > 1 else lowest
        if lowest and nodes[name].stage == "scan":
            found.add(lowest)
        todo += [(above, lowest) for above, _ in nodes[name].inputs]
    return found
