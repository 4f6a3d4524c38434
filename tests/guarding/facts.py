"""Recipes that cost money, and what a sample of them would have shown, made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mashbill.compiler.compile import Compiled
from mashbill.compiler.estimating.facts import (
    Facts,
    Moments,
    NodeFacts,
    Price,
    SourceFacts,
    Speed,
)
from mashbill.compiler.plan import Plan
from mashbill.compiler.render import render
from tests.compiler.world import compile_text

COT = """\
---
inputs: { text: str }
reply: { reasoning: text, answer: boxed }
---
{% block user %}{{ text }} Put the answer in \\boxed{…}.{% endblock %}
"""
RECIPE = """\
mashbill: 1
name: costly
models:
  solver: { use: http/large, url: http://localhost:8000/v1, price: { input: 1, output: 10 } }
  small: { use: http/small, url: http://localhost:8001/v1, price: { input: 0.1, output: 1 } }
sources:
  web: { path: web.jsonl, license: CC0-1.0, origin: human }
steps:
  solved: { op: cot, from: web, model: solver, prompt: prompts/cot.md.j2, samples: 8 }
  right: { op: verify, from: solved, checks: { sound: { kind: expr, pass: chars(answer) > 0 } } }
  best: { op: select, from: right, by: -tokens(reasoning), take: 1 }
  book:
    op: rewrite
    from: web
    model: solver
    prompt: prompts/book.md.j2
    checks: { length: { min: 0.5 } }
    on_fail: [ { retry: 2 }, reject ]
mix: { total: 1B tokens, parts: { best: 50%, book: 50% }, on_shortfall: shrink }
tokenizer: small
budget: { usd: BUDGET }
"""
FILES = {"prompts/cot.md.j2": COT, "web.jsonl": ""}


def compiled(budget: str = "$150", *sets: str, recipe: str = RECIPE) -> tuple[Compiled, Plan]:
    """The recipe, compiled, and its plan."""
    made = compile_text(recipe.replace("BUDGET", budget), FILES, sets=sets)
    assert made.plan is not None, render(made.report)
    return made, made.plan


def moments(rows: int = 256, spread: float = 0.05, **means: float) -> Moments:
    """Outcomes that have nothing to do with size, `spread` their relative error; `__` is `:`."""
    names = tuple(name.replace("__", ":") for name in means)
    values = tuple(means.values())
    cov = tuple(
        tuple((spread * a) ** 2 if i == j else 0.0 for j, _ in enumerate(values))
        for i, a in enumerate(values)
    )
    return Moments(rows, rows - 1, 400.0, names, values, tuple(0.0 for _ in values), cov)


def facts(rows: float = 10_000, *, piloted: bool = True, prices: bool = True) -> Facts:
    """Of `RECIPE`: 8 draws a row of 100 and 200 tokens; of the rewrites 68 % pass at each try."""
    tries = 1 + 0.32 + 0.32**2
    solved = moments(
        units=8, rows_out=8, size_out=8000, truncated=0,
        calls__solver=8, prompt__solver=800, reply__solver=1600,
    )  # fmt: skip
    book = moments(
        units=1, rows_out=1 - 0.32**3, size_out=380, tokens_out=95, truncated=0,
        calls__solver=tries, prompt__solver=150 * tries, reply__solver=100 * tries,
    )  # fmt: skip
    nodes = {
        "solved": NodeFacts(
            256, reached=moments(units=8, prompt=800), settled=solved if piloted else None,
            settled_rows=256 if piloted else 0, longest_prompt=300,
        ),
        "right": NodeFacts(2048, reached=moments(2048, rows_out=0.5, size_out=500)),
        "best": NodeFacts(
            1024, reached=moments(1024, rows_out=(1 - 0.5**8) / 4, size_out=250, tokens_out=50)
        ),
        "book": NodeFacts(
            256, reached=moments(units=1, prompt=150, source=100),
            settled=book if piloted else None, settled_rows=256 if piloted else 0,
            longest_prompt=900,
        ),
    }  # fmt: skip
    known = {"solver": Price(1e-6, 1e-5), "small": Price(1e-7, 1e-6)} if prices else {}
    return Facts(
        {"web": SourceFacts(rows, rows * 400.0, sampled=256)},
        nodes,
        prices=known,
        unpriced=frozenset() if prices else frozenset({"solver"}),
    )


def with_speeds(found: Facts, speeds: Mapping[str, float]) -> Facts:
    """Facts of models that take hardware: reply tokens a second."""
    from dataclasses import replace

    made = {name: Speed(speed, None, 0.1, "p", "measured") for name, speed in speeds.items()}
    return replace(found, speeds=made)


def settings(found: Sequence[str]) -> list[str]:
    """What stands behind `--set` in notes."""
    import shlex

    return [shlex.split(note.partition(" (")[0])[1] for note in found]
