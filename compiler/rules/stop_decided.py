"""A step that draws stops once the vote over its draws is decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..graph import Node
from .draft import Draft


def stop_decided(draft: Draft) -> Iterator[str]:
    """Let a `cot` draw no more of a row than the `select` behind it looks at.

    Example:
        In `solved (cot, samples: 8) → math (select, vote: answer)`, a row whose first five draws
        agree is not drawn three times more.

    A `select` settles a vote by the shortest prefix of draws that decides it, so the draws behind
    the prefix change nothing: with the rule they are not made, and without it they are rejected as
    `late`. It is legal where the `select` reads the `cot` alone and directly, nobody else reads
    the `cot`, each step sees all rows (no `when:`), and the column is one of the reply, as the
    model gave it: a draw that a step in between might reject is not known to the `cot`.
    """
    for node in draft.in_order():
        below = _drawing(draft, node)
        if below is None:
            continue
        params = node.definition["params"]
        until = {
            "vote": params["vote"],
            "agree": params["min_agree"],
            "compare": params["compare"],
            "take": None if params["take"] == "all" else params["take"],
            "drop": sorted(params["drop"] or ()),
        }
        if below.tuning.until == until or until["take"] is None:  # `all` takes every draw
            continue
        draft.tune(below.name, replace(below.tuning, until=until))
        yield (
            f"`{below.name}` stops drawing a row once the vote of `{node.name}` on "
            f"`{params['vote']}` is decided"
        )


def _drawing(draft: Draft, node: Node) -> Node | None:
    """The step that draws for a vote, if it may stop when the vote is decided."""
    if node.stage != "gather" or node.definition["params"].get("vote") is None:
        return None
    if len(node.inputs) != 1 or node.inputs[0].port or node.definition.get("when"):
        return None
    below = draft.nodes[node.inputs[0].node]
    params, vote = below.definition.get("params") or {}, node.definition["params"]["vote"]
    computed = {*below.definition["set_after"], *node.definition["set"]} if params else set[str]()
    legal = (
        below.op == "cot"
        and params["until"] is None
        and params["samples"] == node.definition["params"]["draws"]
        and below.traits.reads is not None
        and below.definition.get("when") is None
        and vote in below.traits.writes
        and vote not in computed
        and vote not in below.definition["set"]
        and draft.only_reader(below.name) is node
    )
    return below if legal else None
