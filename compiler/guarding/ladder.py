"""Fewer rungs of a ladder: what the recipe would say, and what would then be asked and accepted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..estimating.facts import Facts, NodeFacts
from ..nodes import List, plain
from ..plan import Plan, PlanNode
from ..recipe import Recipe
from .changed import with_node, with_params
from .moments import MADE, is_called, scaled
from .moments import with_node as seen_at
from .trial import Knob, Trial

REJECT: Mapping[str, Any] = {"rung": "reject"}
"""What a ladder without an end ends in."""


def ladder_knobs(plan: Plan, recipe: Recipe, facts: Facts, node: PlanNode) -> Iterator[Knob]:
    """A ladder without its last rung that asks a model, and one without any."""
    rungs: Sequence[Mapping[str, Any]] = node.definition["params"].get("on_fail") or ()
    asking = [i for i, rung in enumerate(rungs) if rung.get("times")]
    written = _written(recipe, node.name)
    if not asking or written is None or len(written) < len(asking):
        return
    if len(asking) > 1:
        yield Knob("rung", _without(plan, facts, node, written, asking[-1:]), once=True)
    yield Knob("rung", _without(plan, facts, node, written, asking), once=True)


def _written(recipe: Recipe, step: str) -> list[Any] | None:
    """The rungs as the recipe writes them."""
    decl = next((s for s in recipe.steps if s.name == step), None)
    found = decl.param("on_fail") if decl else None
    return [plain(item) for item in found.items] if isinstance(found, List) else None


def _without(
    plan: Plan, facts: Facts, node: PlanNode, written: Sequence[Any], dropped: Sequence[int]
) -> Callable[[float], Trial | None]:
    """A ladder without some of its rungs."""

    def turned(_: float) -> Trial | None:
        rungs = node.definition["params"]["on_fail"]
        left = [r for i, r in enumerate(rungs) if i not in dropped] or [REJECT]
        said = [w for i, w in enumerate(written) if i not in dropped] or ["reject"]
        tries, fewer = _tries(rungs), _tries(left)
        made = facts
        lost = 0.0
        seen = facts.nodes.get(node.name)
        if seen is not None and (shown := _tries_shown(node, facts)) is not None:
            failing = _failing(shown, tries)
            calls = _calls(failing, fewer) / _calls(failing, tries)
            accepted = (1 - failing**fewer) / (1 - failing**tries) if failing < 1 else 1.0
            rejects = left[-1].get("rung") == "reject"
            rows = accepted if rejects else 1.0
            made = seen_at(facts, node.name, _with_fewer(seen, calls, rows))
            # What falls back is a row still, but not one of the model's.
            lost = 0.0 if rejects else 1 - accepted
        changed = _without_models(with_params(plan, node.name, on_fail=left), node, dropped)
        typed = f"steps.{node.name}.on_fail={_flow(said)}"
        return Trial(typed, _flow(list(written)), 0.0, changed, made, lost)

    return turned


def _tries(rungs: Sequence[Mapping[str, Any]]) -> int:
    """How often a unit is tried at most."""
    return 1 + sum(int(rung.get("times", 0)) for rung in rungs)


def _tries_shown(node: PlanNode, facts: Facts) -> float | None:
    """Calls of a unit in the ledger, of the step's own model; None where nobody has seen any."""
    settled = facts.nodes[node.name].settled
    if settled is None or node.model is None:
        return None
    units, calls = settled.of("units"), settled.of(f"calls:{node.model}")
    return calls / units if units and calls else None


def _failing(shown: float, tries: int) -> float:
    """Share of tries that fail, if all fail alike: where so many are made, `tries` at most."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _calls(middle, tries) < shown else (low, middle)
    return (low + high) / 2


def _calls(failing: float, tries: int) -> float:
    return sum(failing**n for n in range(tries))


def _with_fewer(seen: NodeFacts, calls: float, rows: float) -> NodeFacts:
    """The units stay as many, and so do first attempts; of each unit less is asked in all."""

    def factor(name: str) -> float:
        if name == "units":
            return 1.0
        return calls if is_called(name) else rows if name in MADE else 1.0

    return replace(seen, settled=scaled(seen.settled, factor))


def _without_models(plan: Plan, node: PlanNode, dropped: Sequence[int]) -> Plan:
    """A plan whose step no longer asks the models of some rungs, which are its last that ask."""
    gone = tuple(f"on_fail.{place}." for place in dropped)
    models = {place: m for place, m in node.models.items() if not place.startswith(gone)}
    return with_node(plan, replace(plan.node(node.name), models=models))


def _flow(rungs: Sequence[Any]) -> str:
    """Rungs as one writes them on a command line: `[{retry: 2}, {fallback: input}]`."""
    import yaml

    return yaml.safe_dump(
        list(rungs), default_flow_style=True, width=10**9, sort_keys=False, allow_unicode=True
    ).strip()
