"""A plan that ends after one of its steps.

It is cut out of the rewritten plan: its steps are asked for what the whole plan would ask them for
and no more, so that a run of the whole one later finds all of it in the ledger.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from .compile import Compiled
from .graph import Graph
from .plan import Plan, PlanNode
from .selectors import SelectorError
from .suggest import nearest

UNTIL = "until"
"""Key of a plan's `recipe` that names the step it ends after."""


def end_after(compiled: Compiled, step: str) -> Compiled:
    """Leave out all that `step` is not made from, the mix and the split among it.

    No rows leave such a plan. Its digest is its own: it stands for no data set.

    Args:
        compiled: A recipe that compiles.
        step: The recipe's name of a step or source.

    Raises:
        SelectorError: Nothing is called that, or nothing needs it.
    """
    graph, plan = compiled.graph, compiled.plan
    assert graph is not None
    assert plan is not None
    if step not in graph.nodes:
        close = nearest(step, graph.nodes)
        listed = f"there is {', '.join([*graph.nodes][:6])}{', …' * (len(graph.nodes) > 6)}"
        hint = f"did you mean `{close}`?" if close else listed
        raise SelectorError(f"no step or source that runs is called `{step}`; {hint}")
    made_from = _closed([step], {n.name: [e.node for e in n.inputs] for n in graph})
    nodes = {n: v for n, v in graph.nodes.items() if n in made_from}
    kept = replace(graph, nodes=nodes, outputs=(), results={}, mixed=False, renders={})
    return replace(compiled, graph=kept, plan=_cut(plan, kept, step))


def _cut(plan: Plan, graph: Graph, step: str) -> Plan:
    """What of a plan the steps of a graph need; a filter that a rule put before them too."""
    reads = {n.name: [name for name, _ in n.inputs] for n in plan.nodes}
    names = _closed([plan.aliases.get(n, n) for n in graph.nodes], reads)
    nodes = tuple(_unfed(n, names) for n in plan.nodes if n.name in names)
    asked = {m for n in nodes for m in n.asked} | {plan.tokenizer}
    return replace(
        plan,
        recipe={**plan.recipe, UNTIL: step},
        nodes=nodes,
        outputs=(),
        models={n: m for n, m in plan.models.items() if n in asked},
        sources={n: s for n, s in plan.sources.items() if n in names},
        mix=None,
        split={},
        counted_by=None,
        renders={},
        aliases={a: n for a, n in plan.aliases.items() if n in names},
        results={step: f"{graph.nodes[step].fingerprint}.{UNTIL}"},
        budget=_budget(plan.budget, names),
    )


def _closed(start: Iterable[str], reads: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """Names, and all that they are made from."""
    found: set[str] = set()
    todo = [*start]
    while todo:
        name = todo.pop()
        if name not in found and name in reads:
            found.add(name)
            todo.extend(reads[name])
    return frozenset(found)


def _unfed(node: PlanNode, names: Collection[str]) -> PlanNode:
    """A step that would be stopped by one that is left out is given what that one needs at least.

    Both take rows in the order of `_doc`.
    """
    if node.tuning.fed is None or node.tuning.fed[0] in names:
        return node
    rows = node.tuning.fed[1]
    first = rows if node.tuning.first is None else min(rows, node.tuning.first)
    return replace(node, tuning=replace(node.tuning, fed=None, first=first))


def _budget(budget: Mapping[str, Any] | None, names: Collection[str]) -> dict[str, Any] | None:
    if budget is None:
        return None
    steps = {n: caps for n, caps in (budget.get("steps") or {}).items() if n in names}
    return {**budget, "steps": steps} if "steps" in budget else dict(budget)
