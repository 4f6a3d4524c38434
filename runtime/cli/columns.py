"""`mashbill show STEP --columns`: what the rows of a step hold, port by port."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ...compiler.graph import Graph, Node, Rows
from .ls_ import table

HEADS = ("column", "type", "null", "made by", "model's words")


def ports_of(node: Node) -> tuple[str, ...]:
    """The ports of a step, `""` first: what goes on."""
    return tuple(port for ports, _ in _streams(node) for port in ports)


def columns_text(node: Node, only: str | None, room: int) -> str:
    """The columns of a step's rows, and of those that leave aside (or of one port), as tables."""
    blocks = []
    for ports, rows in _streams(node, only):
        names = ", ".join(f"{node.name}.{port}" if port else node.name for port in ports)
        head = f"{names}   rows of {_article(node.op)}, text {rows.origin}"
        cells = [
            (
                c["name"],
                c["type"],
                "may be" if c["nullable"] else "never",
                ", ".join(c["made_by"]) or "–",
                c["model_words"],
            )
            for c in _columns(rows)
        ]
        blocks.append("\n".join([head, *table([HEADS, *cells], room)]))
    return "\n\n".join(blocks)


def columns_json(node: Node, only: str | None) -> str:
    """The same as JSON: `step`, `op`, and under `ports` the columns by port, `""` what goes on."""
    ports = {
        port: {"origin": rows.origin, "columns": list(_columns(rows))}
        for names, rows in _streams(node, only)
        for port in names
    }
    return json.dumps(
        {"step": node.name, "op": node.op, "ports": ports}, indent=1, ensure_ascii=False
    )


def unknown_step(name: str, graph: Graph) -> str:
    """What to say of a name that the graph does not have."""
    from ...compiler.suggest import nearest

    close = nearest(name, list(graph.nodes))
    known = ", ".join(list(graph.nodes)[:8])
    hint = f"did you mean `{close}`?" if close else f"there is {known}"
    return f"no step or source that runs is called `{name}`; {hint}"


def _streams(node: Node, only: str | None = None) -> Iterator[tuple[tuple[str, ...], Rows]]:
    """Ports whose rows hold the same columns, together; or one of them."""
    if only is None:
        yield ("",), node.rows()
    asides = ASIDES.get(node.stage, ("rejected", "routed", "errors"))
    if node.aside and (node.traits.drops or node.stage != "map"):
        yield asides if only is None else (only,), node.aside


ASIDES = {"map": ("rejected",), "gather": ("rejected", "errors")}
"""Ports of what does not go on, where they are not the usual ones."""


def _columns(rows: Rows) -> Iterator[dict[str, Any]]:
    for name, kind in rows.columns.items():
        makers = rows.makers.get(name, ())
        some = len(makers) > 1 and rows.origin == "mixed"
        yield {
            "name": name,
            "type": str(kind.maybe(False)),
            "nullable": kind.nullable,
            "made_by": list(makers),
            "model_words": ("some" if some else "yes") if name in rows.modelled else "no",
        }


def _article(op: str) -> str:
    return f"an {op}" if op[0] in "aeiou" else f"a {op}"
