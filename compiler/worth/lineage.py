"""Where the rows of a part come from: steps before it, and texts that it shares with others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..estimating.estimates import StepEstimate
from ..plan import Plan, PlanNode


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a part of the mix.

    Attributes:
        part: Its name.
        steps: Steps before it and its own, in topological order.
        texts: How many texts they come from; None where it is not known.
        versions: Rows by text, at least 1.
    """

    part: str
    steps: tuple[PlanNode, ...]
    texts: float | None
    versions: float


def rows_of(part: str, plan: Plan, steps: Mapping[str, StepEstimate]) -> Rows:
    """Follow a part back to its sources. Raises `KeyError` where there is no such step."""
    before = steps_before(part.partition(".")[0], plan)
    made = _rows(before[-1].name, steps)
    drawing = next((n for n in before if int(_params(n).get("samples") or 1) > 1), None)
    asked = steps[drawing.name].rows_in.value if drawing and drawing.name in steps else None
    versions = max(1.0, made / asked) if made and asked else 1.0
    return Rows(part, before, None if made is None else made / versions, versions)


def steps_before(name: str, plan: Plan) -> tuple[PlanNode, ...]:
    """A step and all that it reads, directly or not, in the plan's order."""
    last = plan.node(name)
    wanted = {last.name}
    found: list[PlanNode] = []
    for node in reversed(plan.nodes):
        if node.name in wanted:
            found.append(node)
            wanted |= {plan.aliases.get(name, name) for name, _ in node.inputs}
    return tuple(reversed(found))


def families(parts: Sequence[Rows]) -> list[list[Rows]]:
    """Parts that come from one source, directly or through each other, together."""
    found: list[tuple[set[str], list[Rows]]] = []
    for rows in parts:
        sources = {n.name for n in rows.steps if n.stage == "scan"}
        kin = [f for f in found if f[0] & sources]
        found = [f for f in found if not f[0] & sources]
        merged = sources.union(*(names for names, _ in kin))
        found.append((merged, [*(r for _, members in kin for r in members), rows]))
    return [members for _, members in found]


def texts_in_common(family: Sequence[Rows], steps: Mapping[str, StepEstimate]) -> float | None:
    """Texts at the last step that all parts of a family have before them; None if not known.

    Of parts without a step in common it is the texts of the largest.
    """
    common = set.intersection(*({n.name for n in rows.steps} for rows in family))
    counts = [c for n in common if (c := _rows(n, steps)) is not None]
    own = [rows.texts for rows in family if rows.texts is not None]
    if not own:
        return None
    # Of one part alone, or of parts that are each other's, the texts are the part's own.
    return max(max(own), min(counts, default=0.0) if len(family) > 1 else 0.0)


def _rows(name: str, steps: Mapping[str, StepEstimate]) -> float | None:
    return steps[name].rows_out.value if name in steps else None


def _params(node: PlanNode) -> Mapping[str, Any]:
    found = node.definition.get("params")
    return found if isinstance(found, Mapping) else {}
