"""The share of replies that pass, where neither ledger nor history says: by who writes them."""

from __future__ import annotations

from dataclasses import dataclass

from ..plan import Plan, PlanNode
from .facts import Facts


@dataclass(frozen=True, slots=True)
class Passing:
    """A share that is not known: the mean and the spread of its logit."""

    logit: float
    spread: float


USUAL = Passing(0.7, 1.6)
"""Of replies that checks are applied to: 63 % on average, between 13 and 97 % in nine of ten cases;
assumed, wide enough for the cases of `make bench NAME=scoreboard`."""
SMALL = Passing(-1.8, 1.3)
"""The same of a model of under a billion parameters: 20 %, between 2 and 58; `[ours]`: of the
draws of SmolLM2-135M 7.6 % were kept on SVAMP (`recipes/math-cot`), of its rewrites 13 % (`make
demo`: 37 of 294 replies). No other size was measured."""
WHOLE = Passing(3.0, 1.0)
"""Where there are no checks: what is cut off or cannot be read is refused all the same. 93 % on
average, between 79 and 99."""
FEW = 1e9
"""Parameters under which a model is small."""


def passing(node: PlanNode, plan: Plan, facts: Facts) -> Passing:
    """Of the replies that a step checks: its own, or those of the steps that it reads."""
    if not node.definition["params"].get("checks"):
        return WHOLE
    sizes = [facts.parameters.get(name) for name in _writers(node, plan)]
    small = bool(sizes) and all(size is not None and size < FEW for size in sizes)
    return SMALL if small else USUAL


def _writers(node: PlanNode, plan: Plan) -> set[str]:
    """Models that wrote what a step checks."""
    if node.model is not None:
        return {node.model}
    by_name = {n.name: n for n in plan.nodes}
    found: set[str] = set()
    for name, _ in node.inputs:
        found |= _writers(by_name[name], plan)
    return found
