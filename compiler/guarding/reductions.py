"""What would make a plan fit its budget: the cheapest things to turn down, found by trying them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ..budgets import SpendCap
from ..estimating.estimates import Estimates
from ..estimating.facts import Facts
from ..plan import Plan, PlanNode
from ..quantities import show_share
from ..recipe import Recipe
from .charges import bare, charges
from .knobs import Bench, knobs_of, knobs_of_sources
from .trial import Knob

ORDER: Mapping[str, int] = {
    kind: place
    for place, kind in enumerate(
        ("sample", "samples", "rung", "max_tokens", "model", "limit", "source")
    )
}
"""Where two cost as little data: what is judged less, then what is drawn less, comes first."""
STEPS = 2
"""Steps, the dearest, that are worth turning down."""
TRIES = 3
"""Estimates for one knob: a guess, and two better ones."""
ROOM = 0.98
"""Share of what is left under a cap that is aimed at."""
WORTH = 0.02
"""Share of what is expected that a reduction must save to be told."""
Estimate = Callable[[Plan, Facts], Estimates]


@dataclass(frozen=True, slots=True)
class Reduction:
    """One thing that costs less.

    Attributes:
        typed: What stands behind `--set`.
        was: What it is now.
        saves: In the units of the cap.
        left: What is then expected.
        enough: Whether that fits under the cap.
        lost: Share of the data set that it costs.
        kind: Of `ORDER`.
    """

    typed: str
    was: str
    saves: float
    left: float
    enough: bool
    lost: float
    kind: str

    def words(self, cap: str) -> str:
        """`--set steps.solve.samples=5 (8 now) saves $61; costs no data`."""
        short = "" if self.enough else ", not enough alone"
        typed = f"--set {shlex.quote(self.typed)} ({self.was} now)"
        return f"{typed} saves {bare(cap, self.saves)}{short}; {self._cost()}"

    def _cost(self) -> str:
        if self.kind == "sample":
            return "rates are known less well"
        if self.kind == "model":
            return "another model's replies"
        if self.kind == "max_tokens":
            return "longer replies are cut off"
        if self.lost < 0.001:
            return "costs no data"
        return f"costs {show_share(round(self.lost, 2 if self.lost > 0.02 else 3))} of the data"


def cheapest(
    plan: Plan,
    recipe: Recipe,
    facts: Facts,
    estimates: Estimates,
    cap: SpendCap,
    estimate: Estimate,
    *,
    spent: float = 0.0,
    count: int = 3,
) -> tuple[Reduction, ...]:
    """What to turn down so that a plan fits under a cap, by how little data it costs.

    Each is tried by itself, at the mildest setting that is enough. Those that are not, however far
    they are turned, come last.

    Args:
        plan: That is expected to cost more than the cap allows.
        recipe: What it was made from.
        facts: What it was estimated from.
        estimates: Of the plan.
        cap: Of the run, or of a step.
        estimate: The estimator.
        spent: What earlier runs have spent of the cap, in its units.
        count: How many.
    """
    bench = Bench(plan, recipe, facts, estimates)
    target = (cap.value - spent) * ROOM
    found = []
    for node in _dearest(bench, cap):
        for knob in (*knobs_of(bench, node), *knobs_of_sources(bench, node)):
            made = _turned(bench, knob, node, cap, target, estimate)
            if made is not None and made not in found:
                found.append(made)
    return tuple(sorted(found, key=_rank)[:count])


def _rank(reduction: Reduction) -> tuple[bool, float, int, float]:
    lost = round(reduction.lost, 2)
    return not reduction.enough, lost, ORDER[reduction.kind], -reduction.saves


def _dearest(bench: Bench, cap: SpendCap) -> Iterator[PlanNode]:
    """The steps that cost most of what is capped."""
    plan = bench.plan
    named = plan.aliases.get(cap.step, cap.step) if cap.step else None
    nodes = [n for n in plan.nodes if n.asked and named in (None, n.name)]
    costs = {n.name: _cost_of(bench, n, cap) for n in nodes}
    nodes.sort(key=lambda n: -costs[n.name])
    yield from (n for n in nodes[:STEPS] if costs[n.name] > 0)


def _cost_of(bench: Bench, node: PlanNode, cap: SpendCap) -> float:
    own = SpendCap(cap.kind, cap.value, cap.span, node.name)
    return charges(bench.plan, bench.estimates, own)[0].value or 0.0


def _turned(
    bench: Bench,
    knob: Knob,
    node: PlanNode,
    cap: SpendCap,
    target: float,
    estimate: Estimate,
) -> Reduction | None:
    """A knob at the mildest setting that is enough, by the secant method: costs are near linear."""
    whole = charges(bench.plan, bench.estimates, cap)[0].value or 0.0
    part = whole if knob.kind == "source" else _cost_of(bench, node, cap) or whole
    # Where the rest of the run alone is above the cap, a tenth is as far as it is turned.
    keep = max(0.1, 1 - (whole - target) / part)
    best: Reduction | None = None
    for _ in range(1 if knob.once else TRIES):
        trial = knob.turn(keep)
        if trial is None:
            break
        made = estimate(trial.plan, trial.facts)
        cost = charges(trial.plan, made, cap)[0].value
        if cost is None:
            break
        if whole - cost < WORTH * whole:  # draws that are seldom made are no loss, and no gain
            keep /= 2
            continue
        lost = max(trial.lost, _lost(bench, trial.plan, made))
        enough = cost <= target / ROOM
        found = Reduction(trial.typed, trial.was, whole - cost, cost, enough, lost, knob.kind)
        if best is None or (found.enough, -found.left) > (best.enough, -best.left):
            best = found
        slope = (whole - cost) / (1 - trial.kept)
        better = trial.kept + (target - cost) / slope
        if (enough and cost > 0.9 * target) or better <= 0.0 or abs(better - keep) < 0.01:
            break
        keep = min(better, 0.99)
    return best


def _lost(bench: Bench, plan: Plan, made: Estimates) -> float:
    """Share of the data set that is not made any more: of the mix's tokens, else of rows out."""
    before, after = _made(bench.plan, bench.estimates), _made(plan, made)
    return max(0.0, 1 - after / before) if before else 0.0


def _made(plan: Plan, estimates: Estimates) -> float:
    if estimates.taken:
        return sum(estimates.taken.values())
    names = {name for name, port in plan.outputs if not port}
    return sum(estimates.steps[name].rows_out.value or 0.0 for name in names)
