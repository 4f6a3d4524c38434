"""Small plans, and estimates made by hand for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mashbill as mb
from mashbill.compiler.estimating.estimates import Estimates, Spending, StepEstimate
from mashbill.compiler.estimating.numbers import Number
from mashbill.compiler.plan import Plan

RECIPE = """
mashbill: 1
name: small
models: {{ writer: fake/echo }}
sources:
  web: {{ path: web.jsonl, license: CC0-1.0, origin: human }}
  notes: {{ path: web.jsonl, license: CC0-1.0, origin: human }}
steps:
  clean: {{ op: clean, from: web }}
{steps}
{mix}
"""
BOOK = """
  book:
    op: rewrite
    from: clean
    model: writer
    prompt: book.md.j2
    checks: { facts: { style: sentence }, length: { min: 0.5 } }
    on_fail: [{ retry: 1 }, { fallback: input }]
"""
MIX = """
mix:
  total: 20B tokens
  parts: { clean: { weight: 60%, max_epochs: 4 }, book: { weight: 40%, max_epochs: 4 } }
  min_human: 50%
  on_shortfall: repeat
"""
PROMPT = (
    "---\ninputs: { text: str }\n---\n{% block system %}Rewrite.{% endblock %}\n"
    "{% block user %}{{ text }}{% endblock %}\n"
)


def plan_of(folder: Path, steps: str = BOOK, mix: str = MIX) -> Plan:
    """The plan of a recipe with these steps behind `clean`, and this mix."""
    (folder / ".mashbill").mkdir(exist_ok=True)
    (folder / "web.jsonl").write_text('{"text": "The sea is wide."}\n')
    (folder / "book.md.j2").write_text(PROMPT)
    (folder / "recipe.yaml").write_text(RECIPE.format(steps=steps, mix=mix))
    recipe = mb.load(folder / "recipe.yaml")
    plan = recipe.plan(survey=False)
    return plan.record


def exact(value: float) -> Number:
    """A number that was counted."""
    return Number(value, "e")


def around(value: float, spread: float = 0.1) -> Number:
    """A number that a pilot showed."""
    return Number(value, "p", value * (1 - spread), value * (1 + spread))


def estimates_of(
    plan: Plan,
    rows: Mapping[str, float],
    supply: Mapping[str, Number],
    spending: Mapping[str, Spending] | None = None,
    **fields: Any,
) -> Estimates:
    """Estimates with these rows behind each step; a step has before it what the last one leaves."""
    steps: dict[str, StepEstimate] = {}
    for node in plan.nodes:
        before = [steps[name].rows_out for name, _ in node.inputs]
        out = around(rows[node.name]) if node.name in rows else before[0]
        steps[node.name] = StepEstimate(
            before[0] if before else out, out, (spending or {}).get(node.name)
        )
    return Estimates(steps, supply=dict(supply), **fields)


def calls(prompt: float, reply: float, usd: float = 0.0) -> Spending:
    """What a step asks."""
    return Spending(
        prompt_tokens=exact(prompt),
        reply_tokens=around(reply),
        usd=exact(usd),
        gpu_hours=exact(1.0),
    )
