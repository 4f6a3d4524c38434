"""Columns that nobody looks at any more are not carried on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice

from ..graph import Node
from .draft import Draft

ALWAYS = frozenset({"text"})
"""Kept besides the columns that begin with `_`, which are Mashbill's own."""
SHOWN = 4
"""Places that the sentence names."""


def drop_columns(draft: Draft) -> Iterator[str]:
    """Say after which step a column is read no more, and which columns of `set:` nobody reads.

    Example:
        In `docs (lang) → english (keep: lang == 'en') → book`, rows lose `lang` behind `english`.

    A column is kept as long as a step further on reads it, it leaves in the output, or what reads
    it is unknown. A source still checks the columns that it does not carry: a line whose value does
    not fit is no row, whoever reads the value. A `set:` in a step with `when:` is computed for some
    rows only, so a column of that name that came in counts as read. What the expression of a
    `set:` that is not computed looks at counts as read too: traits do not tell which of a step's
    reads are whose.
    """
    if draft.wanted is None:
        return
    live = _live(draft, draft.wanted)
    carried: dict[str, frozenset[str]] = {}
    ends: list[str] = []
    idle: list[str] = []
    changed = False
    for node in draft.in_order():
        after = live[node.name]
        skips = _skipped(node, after)
        there = frozenset[str]().union(*(carried[e.node] for e in node.inputs))
        there |= _named(_made(node, after)) - set(skips)
        dropped = frozenset() if after is None else there - after - ALWAYS
        keeps = None
        # Where steps meet, a column that one of them lacks is made anew.
        if after is not None and (dropped or _named(frozenset(node.columns) - after) - ALWAYS):
            keeps = tuple(sorted(_named(after) | ALWAYS))
        carried[node.name] = there - dropped
        if (keeps, skips) != (node.tuning.keeps, node.tuning.skips):
            draft.tune(node.name, replace(node.tuning, keeps=keeps, skips=skips))
            changed = True
        # Copies of the text are nobody's columns: they are left behind without a word.
        ends += [f"`{c}` after `{node.name}`" for c in sorted(dropped) if "." not in c]
        idle += [f"`{c}` of `{node.name}`" for c in skips]
    if changed and (ends or idle):
        yield _sentence(ends, idle)


Columns = frozenset[str] | None
"""None for all: what is read is not known."""


def _live(draft: Draft, wanted: frozenset[str]) -> Mapping[str, Columns]:
    """Columns that are looked at once rows have left a node, by whichever port."""
    live: dict[str, Columns] = dict.fromkeys(draft.nodes, frozenset[str]())
    for edge in draft.outputs:
        live[edge.node] = wanted
    for node in draft.backwards():
        needed = _needed(node, live[node.name])
        for edge in node.inputs:
            known = live[edge.node]
            live[edge.node] = None if needed is None or known is None else known | needed
    return live


def _needed(node: Node, after: Columns) -> Columns:
    """Columns that rows must have when they reach a node."""
    if node.traits.reads is None or after is None:
        return None
    made = () if node.definition.get("when") else node.definition.get("set", ())
    return node.traits.reads | (after - frozenset(made))


def _skipped(node: Node, after: Columns) -> tuple[str, ...]:
    """Columns of `set:` that neither the step nor anybody after it reads."""
    if node.traits.reads is None or after is None:
        return ()
    read = after | node.traits.reads | ALWAYS
    columns = {*node.definition.get("set", ()), *node.definition.get("set_after", ())}
    return tuple(sorted(columns - read))


def _made(node: Node, after: Columns) -> frozenset[str]:
    """Columns that a node makes. A source makes `source.text` only where somebody reads it."""
    unasked = node.stage == "scan" and after is not None and "source.text" not in after
    return node.traits.writes - {"source.text"} if unasked else node.traits.writes


def _named(columns: frozenset[str]) -> frozenset[str]:
    """Without Mashbill's own."""
    return frozenset(c for c in columns if not c.startswith("_"))


def _sentence(ends: list[str], idle: list[str]) -> str:
    parts = []
    if ends:
        parts.append(f"nothing reads {_listed(ends)}: rows go on without")
    if idle:
        parts.append(f"nothing reads {_listed(idle)}: not computed")
    return "; ".join(parts)


def _listed(places: list[str]) -> str:
    shown = list(islice(places, SHOWN))
    rest = len(places) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")
