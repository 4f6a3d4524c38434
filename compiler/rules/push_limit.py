"""Limits are felt before the costly steps that they stand behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..graph import Node
from .draft import Draft


def push_limit(draft: Draft) -> Iterator[str]:
    """Let a costly step see only the documents that a `limit:` further on can keep.

    Example:
        In `docs → book (rewrite) → few (limit: 100)`, `book` is asked for the first 100 documents
        and not for all of them.

    A limit keeps the first rows by `_doc`, ties by `_id`. Steps that lose no row and leave `_doc`
    alone hand at least one row on for each that they are given, so what is kept comes from the
    first so many documents. A model step gives rows new ids, and so a new order among equal
    documents: those at the border are all let in, and the limit itself stays where it is to choose
    between them. Of two limits, one behind the other, the steps before both feel the smaller.

    A `limit:` beside a `when:` is left alone: which of the rows it counts no trait declares.

    Rows that end as errors are not made up for by the next in line: as many fewer come out, and
    another run, once the fault is mended, has them. Sources are not limited so: it would take
    another reading of them to know which documents are first.
    """
    for node in draft.backwards():
        bound = None if node.definition.get("when") else _bound(node)
        if bound is None or (lowest := _lowest_costly(draft, node, bound)) is None:
            continue
        draft.tune(lowest.name, replace(lowest.tuning, first=bound))
        draft.tune(node.name, replace(node.tuning, first=None))
        rows = "first row" if bound == 1 else f"first {bound:,} rows"
        yield f"`{node.name}` keeps the {rows}: `{lowest.name}` is given no more"


def _bound(node: Node) -> int | None:
    """How many rows a node lets in; None for all."""
    limits = [n for n in (node.definition.get("limit"), node.tuning.first) if n is not None]
    return min(limits, default=None)


def _lowest_costly(draft: Draft, node: Node, bound: int) -> Node | None:
    """The last costly step on the way down that a limit can be felt before.

    None where there is none, and where a limit as small is felt there already.
    """
    found: Node | None = None
    while below := _passable(draft, node):
        own = _bound(below)
        if own is not None and own <= bound:
            return None
        if below.traits.cost != "free":
            found = below
        node = below
    return found


def _passable(draft: Draft, node: Node) -> Node | None:
    """The step below, if each row it is given goes on to this one and nowhere else."""
    if len(node.inputs) != 1 or node.inputs[0].port:
        return None
    below = draft.nodes[node.inputs[0].node]
    legal = (
        below.stage != "scan"
        and below.traits.reads is not None
        and "_doc" not in below.traits.writes
        and _keeps_every_row(below)
        and _per_row(below)
        and draft.only_reader(below.name) is node
        and not below.tuning.fed
    )
    return below if legal else None


def _keeps_every_row(node: Node) -> bool:
    """Whether a step loses none of the rows that it lets in, errors aside."""
    only_sets = node.op == "filter" and node.definition["params"].get("keep") is None
    return only_sets or not node.traits.drops


def _per_row(node: Node) -> bool:
    """Whether each row that is let in is treated alone."""
    # Frames are cut anywhere, so operators of all stages there are go row by row; what makes a step
    # with a limit look at others is the limit, and of that the first rows stay the first.
    return node.traits.row_local or node.definition.get("limit") is not None
