"""Identical model calls run once."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from ..graph import Node
from .draft import Draft


def share_calls(draft: Draft) -> Iterator[str]:
    """Merge two model steps that do the same to the same rows: one runs, both are read.

    Legal for steps of one rule, one model, one `limit:` and the same inputs, of which at most one
    is a part of a mix: parts keep their own names there, so the mix must not hold both. Row
    identity comes from what a step does and not from its name, so the merged rows are those that
    either step would have made. A step that is fed until enough have been accepted stays alone.
    """
    first: dict[Hashable, str] = {}
    for node in draft.in_order():
        if node.traits.cost != "model" or node.traits.reads is None:
            continue
        if node.tuning.fed or node.tuning.until:  # its one reader says how much it does
            continue
        work = _work(node)
        kept, gone = first.setdefault(work, node.name), node.name
        if kept == gone:
            continue
        if draft.mixed and draft.leaves(gone):
            if draft.leaves(kept):
                continue
            kept, gone = gone, kept
        first[work] = kept
        draft.drop(gone, kept)
        yield f"`{gone}` asks exactly what `{kept}` asks: the calls run once"


def _work(node: Node) -> Hashable:
    """What two steps must have in common to make the same rows."""
    unpinned = node.model if not node.definition.get("model", {}).get("digest") else ""
    others = tuple(sorted(node.models.items()))  # their names alone may tell them apart
    limits = node.definition.get("limit"), node.tuning.first
    return node.rule, unpinned, others, limits, tuple(sorted(str(e) for e in node.inputs))
