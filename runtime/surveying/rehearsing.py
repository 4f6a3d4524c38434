"""What checks and repairs would ask that nobody has paid for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..rehearsal import check_facts, repair_facts

if TYPE_CHECKING:
    from ...compiler.estimating.facts import CheckFacts
    from ...compiler.plan import PlanNode
    from .replies import Replies

ROWS = 64
"""On which they are tried."""


async def rehearse(
    node: PlanNode, rows: list[dict[str, Any]], units: float, replies: Replies
) -> tuple[dict[int, float], dict[str, CheckFacts]]:
    """What repairs and checks would ask of rows, each of so many units: see `NodeFacts`."""
    tools = replies.tools_of(node)
    if not node.models and not tools.repairs:
        return {}, {}
    names = [c["name"] for c in node.definition["params"].get("checks") or ()]
    shown = [_as_judged(node, row, units) for row in rows[:ROWS]]
    lines = {place: replies.line(model) for place, model in node.models.items()}
    facts = await check_facts(node, shown, lines) if node.models else {}
    return repair_facts(tools.repairs, shown, names), facts


def _as_judged(node: PlanNode, row: dict[str, Any], units: float) -> dict[str, Any]:
    """A row as checks and repairs might see it: its text in the place of each reply."""
    text = str(row.get("text") or "")
    if node.model is None:  # what a model has not written yet is taken to be as long as the text
        unwritten = ("input.text", *(name for name, type in node.columns if type == "str"))
        return {**{name: text for name in unwritten if row.get(name) is None}, **_there(row)}
    part = text[: round(len(text) / units)] if units > 1 else text
    absent = {name: part for name, _ in node.columns if name not in row}
    return {**row, **absent, "text": part, "input.text": part}


def _there(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}
