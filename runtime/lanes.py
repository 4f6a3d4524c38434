"""Which marks flow where, and how draws are numbered: what steps that gather need of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..compiler.draws import draws_after
from ..compiler.plan import Plan, PlanNode


@dataclass(slots=True)
class Lanes:
    """See the module.

    Attributes:
        out: By step, the lanes whose marks leave it; empty where nobody further on goes by marks.
        fed: By step that is fed, its lane.
        draws: By step, how many draws a source row has where it reaches it.
    """

    out: dict[str, frozenset[int]] = field(default_factory=dict)
    fed: dict[str, int] = field(default_factory=dict)
    draws: dict[str, int] = field(default_factory=dict)
    _above: dict[str, frozenset[str]] = field(default_factory=dict)
    """By step that gathers, all steps above it."""

    @classmethod
    def of(cls, plan: Plan) -> Lanes:
        """The lanes of a plan."""
        made = cls()
        nodes = {n.name: n for n in plan.nodes}
        for node in plan.nodes:
            if node.stage == "gather":
                made._above[node.name] = _above(node, nodes)
        heard = frozenset[str]().union(*made._above.values())
        scans = [n.name for n in plan.nodes if n.stage == "scan"]
        leaving: dict[str, int] = {}
        for node in plan.nodes:
            draws = draws_after(
                1, (made.draws[n] if port else leaving[n] for n, port in node.inputs)
            )
            made.draws[node.name] = draws
            samples = (node.definition.get("params") or {}).get("samples")
            leaving[node.name] = draws_after(int(samples or 1), [draws])
            lanes = frozenset[int]().union(*(made.out[n] for n, _ in node.inputs))
            if node.stage == "scan":
                lanes = frozenset({scans.index(node.name)})
            if node.most_rows is not None and node.stage != "scan":  # it holds all to the end
                lanes = frozenset()
            if node.tuning.fed:
                made.fed[node.name] = -1 - len(made.fed)
                lanes = frozenset({made.fed[node.name]})
            made.out[node.name] = lanes if node.name in heard else frozenset()
        return made

    def scales(self, node: PlanNode) -> Mapping[str, int]:
        """By step above one that gathers: how many draws there one draw before the step becomes."""
        here = self.draws[node.name]
        return {name: max(1, here // self.draws[name]) for name in self._above[node.name]}


def _above(node: PlanNode, nodes: Mapping[str, PlanNode]) -> frozenset[str]:
    found: set[str] = set()
    todo = [name for name, _ in node.inputs]
    while todo:
        if (name := todo.pop()) not in found:
            found.add(name)
            todo += [above for above, _ in nodes[name].inputs]
    return frozenset(found)
