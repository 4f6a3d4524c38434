"""Free filters run before model calls, so that calls are made only for rows that are kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..graph import Edge, Node, joint_origin
from ..types import ANY
from .draft import Draft


def push_filter(draft: Draft) -> Iterator[str]:
    """Swap a free filter with the model step right before it, where nothing but the bill changes.

    Example:
        `pages → book (rewrite) → english (keep: lang == 'en')` becomes
        `pages → english → book`.

    Rows, their ids and the reasons of rejected documents stay the same; a step that makes several
    samples of a row has the row rejected once instead of each of its samples.

    Two things it could do and does not. It stays above a model step that can reject: a document
    that both would drop is rejected by the model step first, for a reason that no longer holds once
    the filter has dropped it. And a filter that is a part of the mix stays where it is: what leaves
    would be the model step, and the part would have its name.
    """
    for name in [node.name for node in draft.in_order()]:
        while below := _model_step_below(draft, node := draft.nodes[name]):
            _swap(draft, below, node)
            yield (
                f"moved `{name}` before `{below.name}`: its calls are made only for rows that "
                f"`{name}` keeps"
            )


def _model_step_below(draft: Draft, node: Node) -> Node | None:
    """The model step that a filter may be swapped with, where that is shown to be legal."""
    if node.op != "filter" or node.traits.cost != "free" or not node.traits.row_local:
        return None
    if node.definition["params"].get("keep") is None:  # it only sets columns: no call is saved
        return None
    if len(node.inputs) != 1 or node.inputs[0].port:
        return None
    below = draft.nodes[node.inputs[0].node]
    reads = node.traits.reads
    legal = (
        below.traits.cost == "model"
        and below.traits.row_local  # a `limit:` counts rows: fewer in would admit others
        and below.tuning.first is None
        and not below.tuning.fed  # which rows it is fed with, the recipe has said
        and not below.traits.drops  # a row that both would drop would change its reason
        and reads is not None
        and below.traits.reads is not None
        and not reads & below.traits.writes  # its `_id` and `_origin` among them
        and not node.traits.writes & (below.traits.reads | below.traits.writes)
        and draft.only_reader(below.name) is node
        and not any(any(draft.readers(node.name, p)) or draft.leaves(node.name, p) for p in ASIDES)
        and not (draft.mixed and draft.leaves(node.name))  # a part keeps its name
        and _same_above(draft, below, reads)
    )
    return below if legal else None


ASIDES = ("rejected", "routed", "errors")


def _same_above(draft: Draft, below: Node, reads: frozenset[str]) -> bool:
    """Whether what a filter reads is the same column in every input of the step below it.

    Rows of several inputs are brought to one form where they meet: a column that one of them lacks
    is null from there on, whole numbers become floats.
    """
    above = [draft.nodes[e.node].rows(e.port).columns for e in below.inputs]
    for name in reads:
        kinds = {columns.get(name) for columns in above}
        if len(kinds) > 1 or None in kinds or (len(above) > 1 and ANY in kinds):
            return False
    return True


def _swap(draft: Draft, below: Node, node: Node) -> None:
    above = [draft.nodes[e.node].rows(e.port) for e in below.inputs]
    columns = {c: k for rows in above for c, k in rows.columns.items()}
    columns |= {c: k for c, k in node.columns.items() if c in node.traits.writes}
    modelled = frozenset[str]().union(*(rows.modelled for rows in above))
    moved = replace(
        node,
        inputs=below.inputs,
        columns=columns,
        modelled=modelled | (node.modelled & node.traits.writes),
        origin=joint_origin(above),
    )
    lifted = replace(below, inputs=(Edge(node.name),), columns=node.columns, modelled=node.modelled)
    draft.redirect(node.name, below.name)
    draft.put(moved, lifted)
