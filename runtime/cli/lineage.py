"""A lineage as a picture, and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ...compiler.plan import Plan
from ..ladder import REPAIRS, STRIDE
from ..lineage import Lineage
from ..outcome import Attempt, Outcome, Unit
from ..tracing import Stop
from .examples import evidence


def picture(
    lineage: Lineage,
    plan: Plan,
    record: Mapping[str, Any],
    wanted: str | None,
    *,
    prompts: bool,
    width: int,
) -> str:
    """The document's way from its source to the data set, top down."""
    lines = []
    for shard, number, row in lineage.written:
        part = f"   part {row['_part']}" if row.get("_part") else ""
        origin = f"   origin {row['_origin']}" if row.get("_origin") else ""
        lines.append(f"row {row.get('_id', '?')}   {shard} row {number:,}{part}{origin}")
    if not lineage.written:
        lines.append(f"document {lineage.doc}   not in the data set")
    source = plan.sources[lineage.source]
    lines += [
        "",
        f"{lineage.source}   {lineage.place}   licence {source['license']}   "
        f"origin {source['origin']}",
        *_quote(str(lineage.row.get("text") or ""), width, "│ "),
    ]
    for stop in lineage.stops:
        lines += ["", *_stop(stop, plan, prompts, width)]
    mix = record.get("mix")
    if mix and lineage.written:
        parts = sorted({r["_part"] for _, _, r in lineage.written if r.get("_part")})
        for part in parts:
            p = mix["parts"][part]
            lines += [
                "",
                f"mix   part {part}: {p['taken']:,} of {p['supply']:,} tokens taken; the place of "
                "this row in the seeded order is inside the cut-off",
            ]
            if (render := plan.renders.get(part)) is not None:
                rows = (r for _, _, r in lineage.written if r.get("_part") == part)
                lines.append(f"rendered   {render['path']}")
                for text in dict.fromkeys(str(row.get("text") or "") for row in rows):
                    lines += _quote(text, width, "│ ")
    return "\n".join(lines)


def _stop(stop: Stop, plan: Plan, prompts: bool, width: int) -> Iterator[str]:
    node = stop.step
    head = f"{node.name}   {node.op}"
    if node.model:
        model = plan.models[node.model]
        head += f" by {node.model} ({model['engine']}/{model['model']})"
    if others := [m for m in node.asked if m != node.model]:
        head += f", asking {' and '.join(others)}"
    if not stop.outcomes:
        yield f"{head}   no completions in the ledger: over the step's limit, or not made yet"
        return
    for outcome in stop.outcomes:
        yield f"{head}   {_ending(stop, outcome)}"
        for column, value in node.definition.get("set", {}).items():
            shown = outcome.rows[0].get(column) if outcome.rows else None
            how = value["="] if isinstance(value, Mapping) else "literal"
            yield f"│ {column} = {shown}   ({how})"
        asked = [u for u in outcome.units if u.end != "kept"]
        if outcome.calls:
            yield f"│ its checks asked {_keys(outcome.calls)}"
        for number, unit in enumerate(asked, 1):
            yield from _unit(unit, number, len(asked), node.definition["params"], prompts, width)


def _ending(stop: Stop, outcome: Outcome) -> str:
    node, params = stop.step, stop.step.definition["params"]
    if outcome.end != "out":
        return f"{outcome.end}: {outcome.reason} {evidence(outcome.evidence)}".rstrip()
    if node.op == "filter":
        return f"kept: {params['keep']}" if params.get("keep") else "kept"
    if params.get("mode") == "audit":
        return "passed on, as every row of an audit"
    if outcome.units and not node.model:
        tries = len(outcome.units[0].attempts) - 1
        return f"passed, repaired at attempt {tries}"
    if outcome.units:
        asked = [u for u in outcome.units if u.end != "kept"]
        good = sum(u.end == "accepted" for u in asked)
        return f"{good} of {len(asked)} chunks accepted {evidence(outcome.evidence)}".rstrip()
    before = str(stop.row.get("text") or "").splitlines()
    after = str(outcome.rows[0].get("text") or "").splitlines()
    if before != after:
        return f"kept {len(after)} of {len(before)} lines"
    return "passed"


def _label(attempt: Attempt) -> str:
    """Which attempt it was, and which rung had it made."""
    sample, number = attempt.draw % STRIDE, attempt.draw // STRIDE
    if attempt.rung == "repair":
        return f"repair {sample}.{number - REPAIRS + 1}"
    if not attempt.key and not attempt.rung:
        return "as it came"
    return f"draw {sample}.{number}{f' {attempt.rung}' if attempt.rung else ''}"


def _keys(calls: Sequence[str]) -> str:
    """The keys of completions, as far as they tell them apart."""
    return ", ".join(key[:12] for key in calls)


def _unit(
    unit: Unit, number: int, of: int, params: Mapping[str, Any], prompts: bool, width: int
) -> Iterator[str]:
    draws = sum(1 for a in unit.attempts if a.key)
    names = ", ".join(c["name"] for c in params.get("checks") or []) or "no checks"
    ends = {
        "accepted": f"accepted at draw {draws}: passed {names}",
        "fallback": f"fell back to the input after {draws} draw{'s' * (draws != 1)}",
        "routed": f"routed after {draws} draws",
        "rejected": f"rejected after {draws} draws",
    }
    if unit.messages:
        yield f"├ chunk {number} of {of}   {ends[unit.end]}"
        yield from _quote(unit.source, width, "│   input  ")
    else:
        yield f"├ {ends[unit.end]}"
    if prompts:
        for message in unit.messages:
            yield from _quote(message.content, width, f"│   {message.role:<9} ", most=40)
    for attempt in unit.attempts:
        key = f"   {attempt.key[:12]}" if attempt.key else ""
        label = _label(attempt)
        if attempt.failed:
            why = f"refused by {attempt.failed}: {attempt.reason} {evidence(attempt.evidence, 60)}"
            yield f"│   {label}{key}   {why}".rstrip()
        else:
            yield f"│   {label}{key}   accepted"
        if attempt.calls:
            yield f"│     its checks asked {_keys(attempt.calls)}"
        for message in attempt.messages if prompts else ():
            yield from _quote(message.content, width, f"│     {message.role:<9} ", most=40)
        yield from _quote(attempt.text, width, "│     reply  ", most=4)


def _quote(text: str, width: int, mark: str, most: int = 6) -> Iterator[str]:
    lines = [w for s in text.splitlines() for w in (textwrap.wrap(s, width - len(mark)) or [""])]
    for i, line in enumerate(lines[:most]):
        yield (mark if i == 0 else mark[:1] + " " * (len(mark) - 1)) + line
    if len(lines) > most:
        yield mark[:1] + " " * (len(mark) - 1) + f"… {len(lines) - most} more lines"


def to_json(lineage: Lineage) -> dict[str, Any]:
    """The lineage as plain JSON."""
    return {
        "doc": lineage.doc,
        "source": lineage.source,
        "place": lineage.place,
        "row": dict(lineage.row),
        "written": [{"shard": s, "row": n, "columns": r} for s, n, r in lineage.written],
        "steps": [
            {
                "step": s.step.name,
                "op": s.step.op,
                "outcomes": [asdict(o) for o in s.outcomes],
            }
            for s in lineage.stops
        ],
    }
