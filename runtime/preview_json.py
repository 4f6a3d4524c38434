"""A previewed row as plain data, of which text, page and `--format json` are made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..compiler.plan import Plan
from .outcome import Outcome, Unit
from .progress.money import cost
from .tracing import Stop
from .verdict import Verdict
from .witness import Shown, Witness


def row_json(row: Shown, plan: Plan, steps: frozenset[str] | None) -> dict[str, Any]:
    """A document and what became of it; `steps` are those to tell of, None for all."""
    witnesses = [row.witness(s) for s in row.stops]
    entries = [(w.models[key], e) for w in witnesses for key, e in w.calls.items()]
    prompt = sum(e.prompt_tokens for _, e in entries)
    reply = sum(e.completion_tokens for _, e in entries)
    prices = [
        cost(plan.models[name].get("price"), e.prompt_tokens, e.completion_tokens)
        for name, e in entries
    ]
    told = [s for s in row.stops if steps is None or s.step.name in steps]
    return {
        "doc": row.doc,
        "source": row.source,
        "text": row.row.get("text"),
        "verdict": verdict_of(told),
        "prompt_tokens": prompt,
        "completion_tokens": reply,
        "usd": sum(p for p in prices if p is not None) if prices and None not in prices else None,
        "steps": [_stop_json(s, row.witness(s)) for s in told],
    }


def verdict_of(stops: Sequence[Stop]) -> str:
    """What became of a document: `kept`, or what was lost of it where and why."""
    lost = [(s, o) for s in stops for o in s.outcomes if o.end != "out"]
    if any(not s.outcomes for s in stops):
        return "not made"
    if not lost:
        return "kept"
    stop, outcome = lost[0]
    words = {"rejected": "REJECTED by", "routed": "routed by", "error": "ERROR in"}
    refused = [u.attempts[-1].failed for u in outcome.units if u.end != "accepted" and u.attempts]
    why = refused[0] if refused else outcome.reason
    told = f"{words.get(outcome.end, outcome.end)} {stop.step.name}: {why}"
    tries = sum(len(u.attempts) for u in outcome.units)
    told += f" after {tries} attempts" if tries > 1 else ""
    last = stops[-1].step.name
    kept = sum(o.end == "out" for s in stops if s.step.name == last for o in s.outcomes)
    return f"{told} ({kept} rows kept)" if kept else told


def _stop_json(stop: Stop, witness: Witness) -> dict[str, Any]:
    return {
        "step": stop.step.name,
        "op": stop.step.op,
        "model": stop.step.model,
        "input": stop.row.get("text"),
        "outcomes": [_outcome_json(stop, o, witness) for o in stop.outcomes],
    }


def _outcome_json(stop: Stop, outcome: Outcome, witness: Witness) -> dict[str, Any]:
    made = [
        {
            c: v
            for c, v in row.items()
            if not c.startswith("_")
            and c not in ("input.text", "source.text")
            and v != stop.row.get(c)
        }
        for row in outcome.rows
    ]
    return {
        "end": outcome.end,
        "reason": outcome.reason,
        "evidence": dict(outcome.evidence),
        "changed": made if outcome.end == "out" else [],
        "checks": _checks_json(witness.verdicts.get("", ())),
        "units": [_unit_json(u, witness) for u in outcome.units if u.end != "kept"],
    }


def _unit_json(unit: Unit, witness: Witness) -> dict[str, Any]:
    return {
        "input": unit.source,
        "prompt": [{"role": m.role, "content": m.content} for m in unit.messages],
        "end": unit.end,
        "text": unit.text,
        "attempts": [
            {
                "draw": a.draw,
                "reply": a.text,
                "rung": a.rung,
                "failed": a.failed,
                "reason": a.reason,
                "evidence": dict(a.evidence),
                "checks": _checks_json(witness.verdicts.get(a.key, ())),
                "prompt_tokens": e.prompt_tokens if (e := witness.calls.get(a.key)) else 0,
                "completion_tokens": e.completion_tokens if e else 0,
            }
            for a in unit.attempts
        ],
    }


def _checks_json(found: Iterable[tuple[str, Verdict]]) -> list[dict[str, Any]]:
    return [
        {"check": name, "passed": v.passed, "reason": v.reason, "evidence": dict(v.evidence)}
        for name, v in found
    ]
