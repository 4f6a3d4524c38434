"""What a step asks for, rung by rung of its ladder: `1 + sum of P(reach rung)` calls a unit.

The share of replies that pass is what earlier runs say, or assumed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..draw_costs import drawn_share, let_in, made_share
from ..plan import PlanNode
from .attempts import (
    REPLY_SPREAD,
    REWRITE_SPREAD,
    accepted,
    calls_of,
    may_drop,
)
from .chance import Chance, Driver, full
from .facts import NodeFacts, Prior
from .load import Load
from .made import Made
from .numbers import Basis, weakest
from .passing import Passing

if TYPE_CHECKING:
    from .chance import Array

GRID = tuple(k / 20 for k in range(21))
"""Shares of passing replies at which a ladder is priced; between them it is interpolated."""


def by_ladder(
    node: PlanNode,
    seen: NodeFacts,
    load: Load,
    prior: Prior | None,
    passing: Passing,
    chance: Chance,
) -> Made:
    """By the ladder, rung by rung, with so many replies passing."""
    import numpy as np

    basis: Basis = "h" if prior else "a"
    params = node.definition["params"]
    samples = int(params.get("samples") or 1)
    until = node.tuning.until or params.get("until")
    what = "checks" if params.get("checks") else "whole replies"
    share = chance.share(Driver(node.name, what, basis), passing.logit, passing.spread)

    def at(value: Callable[[float], float]) -> Array:
        return np.asarray(np.interp(share, GRID, [value(p) for p in GRID]))

    fed = full(1.0)
    if node.tuning.fed is not None:
        _, wanted, candidates = node.tuning.fed
        total = float(load.applied.mean())
        fed = at(lambda p: let_in(wanted, candidates, total, max(accepted(node, p), 0.02)))
    drawn = fed * at(lambda p: drawn_share(until, samples, accepted(node, p)))
    rewrites = bool(load.source.any())
    spread = REWRITE_SPREAD if rewrites else REPLY_SPREAD
    longer = chance.around(Driver(node.name, "reply tokens", basis), 1.0, spread)
    ladders = [calls_of(node, seen, p) for p in GRID]
    asked: dict[str, tuple[Array | None, Array | None, Array | None]] = {}
    unsure: Basis = (
        "a"
        if any(c.expected != d.expected for c, d in zip(ladders[4], ladders[-4], strict=True))
        or until
        or node.tuning.fed
        else "e"
    )
    for model in node.asked:
        calls, prompt, reply = full(0.0), full(0.0), full(0.0)
        sized = True
        for place, call in enumerate(ladders[0]):
            if call.model != model:
                continue
            expected = np.interp(share, GRID, [ladder[place].expected for ladder in ladders])
            made = load.units * drawn * expected
            calls = calls + made
            if call.prompt is None:
                sized = False
            else:
                each = load.prompt / np.maximum(load.units, 1e-9) if call.first else call.prompt
                prompt = prompt + made * each
            reply = reply + made * np.minimum(call.reply * longer, call.longest)
        if prior is not None and model == node.model:
            calls, prompt, reply = _as_before(
                node, prior, load, drawn, prompt / np.maximum(calls, 1e-9), chance
            )
        asked[model] = (calls, prompt if sized else None, reply)
    sure = load.even if unsure == "e" else None
    calls_basis = sure or weakest(load.basis, basis if unsure == "a" else "e")
    kept = full(1.0)
    if may_drop(node):
        kept = at(lambda p: made_share(until, samples, accepted(node, p)))
        if prior is not None:
            driver = Driver(node.name, "yield", basis)
            kept = np.minimum(chance.around(driver, prior.rows_out / samples, prior.spread), 1.0)
    rows = load.applied * samples * kept * fed
    sure_rows = not may_drop(node) and not until and not node.tuning.fed
    return Made(
        asked,
        rows,
        None,
        None,
        basis,
        calls_basis,
        weakest(load.basis, calls_basis),
        "e" if sure_rows else basis,
    )


def _as_before(
    node: PlanNode,
    prior: Prior,
    load: Load,
    drawn: Array,
    prompt: Array,
    chance: Chance,
) -> tuple[Array, Array, Array]:
    """Calls, prompt and reply tokens as earlier runs had them."""
    import numpy as np

    tries = chance.around(Driver(node.name, "calls", "h"), prior.calls, prior.spread)
    calls = load.units * np.maximum(tries, 1.0 if not drawn.any() or drawn.min() >= 1 else 0.0)
    each = chance.around(Driver(node.name, "reply tokens", "h"), 1.0, prior.spread)
    by_prompt = (
        prior.reply_ratio * prompt if prior.reply_ratio and load.source.any() else prior.reply
    )
    return calls, calls * prompt, calls * by_prompt * each
