"""Plans with one thing changed, for an estimate of what that would save. They are never run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..plan import Plan, PlanNode


def with_node(plan: Plan, made: PlanNode) -> Plan:
    """A plan with a stage replaced by one of the same name."""
    return replace(plan, nodes=tuple(made if n.name == made.name else n for n in plan.nodes))


def with_params(plan: Plan, name: str, **params: Any) -> Plan:
    """A plan with parameters of a step changed."""
    node = plan.node(name)
    return with_definition(plan, name, params={**node.definition["params"], **params})


def with_definition(plan: Plan, name: str, **given: Any) -> Plan:
    """A plan with other keys of a step's definition."""
    node = plan.node(name)
    return with_node(plan, replace(node, definition={**node.definition, **given}))


def with_limit(plan: Plan, source: str, limit: int) -> Plan:
    """A plan that reads so many rows of a source."""
    read = {**plan.sources[source], "limit": limit}
    changed = replace(plan, sources={**plan.sources, source: read})
    return with_definition(changed, source, limit=limit)


def with_model(plan: Plan, name: str, new: str, model: Mapping[str, Any]) -> Plan:
    """A plan in which a step asks another model of its own."""
    changed = with_node(plan, replace(plan.node(name), model=new))
    return replace(changed, models={**plan.models, new: model})


def below(plan: Plan, name: str) -> tuple[PlanNode, ...]:
    """Stages that a stage's rows reach, in order."""
    reached = {name}
    found = []
    for node in plan.nodes:
        if any(above in reached for above, _ in node.inputs):
            reached.add(node.name)
            found.append(node)
    return tuple(found)


def above(plan: Plan, name: str) -> tuple[PlanNode, ...]:
    """Stages whose rows reach a stage, in order."""
    wanted = {name}
    found = []
    for node in reversed(plan.nodes):
        if node.name in wanted:
            wanted |= {before for before, _ in node.inputs}
            if node.name != name:
                found.append(node)
    return tuple(reversed(found))
