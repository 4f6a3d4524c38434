"""Neighbouring columnar steps run as one stage: frames are handed over once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..graph import Node
from .draft import Draft


def fuse_maps(draft: Draft) -> Iterator[str]:
    """Run columnar steps that follow one another in one hop.

    Example:
        `docs → pages (filter) → clean → long (filter)` are a scan and one stage of three steps.

    Legal where a step gets rows from one other alone, as they go on from there, and nobody else
    reads those. Each step keeps its name, its account and what it puts aside. A step with a
    `limit:` starts a stage of its own, since it waits for all rows; and no two steps that are each
    worth a thread share one.
    """
    for chain in _chains(draft):
        head = chain[0].name
        if any(node.tuning.fused != head for node in chain):
            for node in chain:
                draft.tune(node.name, replace(node.tuning, fused=head))
            *names, last = (f"`{node.name}`" for node in chain)
            yield f"{', '.join(names)} and {last} run as one stage"


def _chains(draft: Draft) -> Sequence[Sequence[Node]]:
    """Runs of two steps and more that can share a stage."""
    chains: dict[str, list[Node]] = {}
    """By the step that a chain ends with so far."""
    for node in draft.in_order():
        if node.stage != "map":
            continue
        below = _neighbour(draft, node)
        chain = chains.get(below.name) if below else None
        if chain is None or (_costly(node) and any(map(_costly, chain))):
            chains[node.name] = [node]
        else:
            chain.append(node)
            chains[node.name] = chain
    return [c for name, c in chains.items() if len(c) > 1 and c[0].name == name]


def _neighbour(draft: Draft, node: Node) -> Node | None:
    """The step below that a columnar step may share a stage with, if that is columnar too."""
    if len(node.inputs) != 1 or node.inputs[0].port:
        return None
    below = draft.nodes[node.inputs[0].node]
    waits = node.definition.get("limit") is not None or node.tuning.first is not None
    unknown = node.traits.reads is None or below.traits.reads is None
    legal = node.traits.row_local and not waits and not unknown
    return below if legal and draft.next_step(below.name) is node else None


def _costly(node: Node) -> bool:
    return node.traits.cost != "free"
