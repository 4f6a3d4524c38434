"""What the record of a run says of its steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .keys import key_of
from .lines import Line

if TYPE_CHECKING:
    from ...compiler.plan import Plan, PlanNode


def lines_of(plan: Plan, record: Mapping[str, Any]) -> Iterator[Line]:
    """A line for each step of a run that new replies settled rows of.

    Args:
        plan: What ran.
        record: Of the run; one from before steps noted what they paid for says less.
    """
    ended = float(record["started"]) + float(record["seconds"])
    for node in plan.nodes:
        if not node.asked or node.name not in record["steps"]:
            continue
        found = _settled(node, record) if "paid" in record else _inferred(node, record)
        if found is not None:
            yield Line(str(record["run"]), ended, node.name, key_of(plan, node), *found)


Found = tuple[int, float, float, float, float, float]
"""The numbers of a line, in their order."""


def _settled(node: PlanNode, record: Mapping[str, Any]) -> Found | None:
    """By the rows that were settled."""
    paid = record["paid"].get(node.name) or {}
    rows = paid.get("settled") or {}
    if not rows.get("rows"):
        return None
    calls = rows["calls"]
    asked = rows["asked"] + rows["free"]
    out = rows["out"] / rows["rows"] * rows["asked"] / asked + rows["free_out"] / asked
    own = paid["models"].get(node.model or "") or {}
    return (
        rows["rows"],
        calls / rows["units"] if rows["units"] else 0.0,
        rows["reply"] / calls if calls else 0.0,
        rows["prompt"] / calls if calls else 0.0,
        out,
        own["seconds"] / own["calls"] if own.get("calls") else 0.0,
    )


def _inferred(node: PlanNode, record: Mapping[str, Any]) -> Found | None:
    """By the step's account and its model's counts, as runs before this version noted them."""
    account = record["steps"][node.name]
    stats = record["models"].get(node.model or "") or {}
    units = sum(v for k, v in account["units"].items() if k != "kept")
    came = account["in"] - account["pending"] - account["rejected"].get("limit", 0)
    if not node.model or not units or not stats.get("sent") or came <= 0:
        return None
    fresh = stats["sent"] / (stats["sent"] + stats["reused"] + stats.get("shared", 0))
    rows = round(came * fresh)
    if not rows or not account["attempts"]:
        return None
    reply, prompt = stats["completion_tokens"], stats["prompt_tokens"]
    return (
        rows,
        account["attempts"] / units,
        reply / stats["sent"],
        prompt / stats["sent"],
        account["out"] / came,
        stats.get("under_way", 0.0) / stats["sent"],
    )
