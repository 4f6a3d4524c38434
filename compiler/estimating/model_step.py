"""What a step that asks models is expected to ask for, and which rows it lets go on.

Where rows of the sample have all their replies in the ledger (a pilot's, an earlier run's), these
say what the others will do. Otherwise the step is priced rung by rung: `1 + sum of P(reach rung)`
calls a unit, by the share of replies that pass, which earlier runs say or which is assumed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..draw_costs import drawn_share, let_in, made_share
from ..plan import Plan, PlanNode
from .amounts import NONE, Amount, Amounts
from .attempts import (
    PASS_LOGIT,
    PASS_SPREAD,
    REPLY_SPREAD,
    REWRITE_SPREAD,
    WHOLE_LOGIT,
    WHOLE_SPREAD,
    Call,
    accepted,
    calls_of,
    longest_text,
    may_drop,
)
from .chance import Chance, Driver, full, surely
from .costing import costed
from .facts import Facts, Moments, NodeFacts, Prior
from .flow import UNSEEN, Flow
from .numbers import Basis, weakest
from .regression import shrunk, totals

if TYPE_CHECKING:
    from .chance import Array

GRID = tuple(k / 20 for k in range(21))
"""Shares of passing replies at which a ladder is priced; between them it is interpolated."""


MANY = 100
"""Sampled rows from which on an outcome that never varied is taken not to."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a step asks for.

    Attributes:
        flow: Rows that go on.
        by_model: What is to be paid for.
        reused: Share of its rows that the ledger answers.
        tokens: Tokens of `text` of the rows that go on, by the mix's tokenizer; None if not known.
    """

    flow: Flow
    by_model: Mapping[str, Amounts]
    reused: float
    tokens: Array | None


@dataclass(frozen=True, slots=True)
class _Load:
    """What reaches a step, before anything is asked.

    Attributes:
        passed: Rows that `when:` leaves as they came.
        applied: The others.
        size: Bytes of the applied.
        unpaid: Share of the applied whose calls are not in the ledger.
        units: Units of the unpaid.
        prompt: Prompt tokens of their first attempts.
        source: Tokens of the text in them that is to be rewritten.
        unpaid_size: Bytes of the unpaid.
        basis: Where these came from.
        most_units: Units of the unpaid at most.
        most_prompt: Prompt tokens of the first attempt of one of them at most, on average.
        grown: Tokens that a row's text may hold beyond what was seen, since models wrote it.
        kept: Tokens of the rows that pass as they came, by the mix's tokenizer; None if unknown.
        even: Where the number of rows came from, if each of many sampled rows is as many units.
    """

    passed: Array
    applied: Array
    size: Array
    unpaid: Array
    units: Array
    prompt: Array
    source: Array
    unpaid_size: Array
    basis: Basis
    most_units: float | None
    most_prompt: float | None
    grown: float
    kept: Array | None
    even: Basis | None


def ask(
    node: PlanNode, flow: Flow, seen: NodeFacts, plan: Plan, facts: Facts, chance: Chance
) -> Asked:
    """Carry rows through a step that asks models."""
    import numpy as np

    if flow.rows is None or flow.size is None or seen.reached is None or not seen.rows_in:
        empty = flow.rows is not None and not flow.rows.any()
        none = Amount(full(0.0), "e", 0.0) if empty else NONE
        unknown = {m: costed(m, none, none, none, plan, facts, chance) for m in node.asked}
        return Asked(flow if empty else UNSEEN, unknown, 0.0, full(0.0) if empty else None)
    load = _load(node, flow, seen, facts, chance)
    if seen.settled is not None and seen.settled.rows:
        made = _by_replies(node, seen, load, facts, chance)
    else:
        made = _by_ladder(node, seen, load, facts.priors.get(node.name), chance)
    ladder = calls_of(node, seen, 0.5)
    by_model = {}
    for model in node.asked:
        most = _most(load, [c for c in ladder if c.model == model])
        calls, prompt, reply = made.asked[model]
        counted: Basis = "a" if model in facts.estimated else "e"
        by_model[model] = costed(
            model,
            _bounded(calls, made.basis_calls, most[0]),
            _bounded(prompt, weakest(made.basis_prompt, counted), most[1]),
            _bounded(reply, made.basis, most[2]),
            plan,
            facts,
            chance,
            seen.prefix_share,
        )
    rows = load.passed + made.rows
    size = _size_of(flow, made.size, rows)
    samples = int(node.definition["params"].get("samples") or 1)
    most_rows = None if flow.most is None else flow.most * samples
    most_size = None if flow.most_size is None else flow.most_size * samples
    settled = weakest(flow.basis, made.basis_rows)
    reused = 1 - float(load.unpaid.mean()) if load.applied.any() else 0.0
    dense = float((load.units / np.maximum(load.applied * load.unpaid, 1e-9)).max())
    grown = flow.grown + longest_text(node) * max(1.0, dense)
    behind = Flow(rows, size, settled, most_rows, most_size, grown)
    tokens = made.tokens
    if tokens is not None and load.kept is not None:
        tokens = tokens + load.kept
    return Asked(behind, by_model, reused, tokens)


def _bounded(values: Array | None, basis: Basis, most: float | None) -> Amount:
    """An amount that cannot be more than the ladder allows, whatever was seen elsewhere."""
    import numpy as np

    if values is not None and most is not None:
        values = np.minimum(values, most)
    return Amount(values, basis, most)


def _size_of(flow: Flow, made: Array | None, rows: Array) -> Array:
    import numpy as np

    assert flow.rows is not None
    assert flow.size is not None
    each = flow.size / np.maximum(flow.rows, 1e-9)
    return rows * each if made is None else made


def _load(node: PlanNode, flow: Flow, seen: NodeFacts, facts: Facts, chance: Chance) -> _Load:
    import numpy as np

    assert flow.rows is not None
    assert flow.size is not None
    assert seen.reached is not None
    whole = seen.whole and not seen.assumed
    part = seen.rows_in / max(flow.mean, 1.0)
    basis: Basis = "a" if seen.assumed else "e" if whole and flow.basis == "e" else "s"
    driver = Driver(node.name, "prompt tokens", basis, seen.rows_in)
    left = 0.0 if whole else max(0.0, 1.0 - part)
    found = totals(seen.reached, flow.rows, flow.size, chance, driver, factor=left)
    none = full(0.0)
    passed = np.minimum(found.get("passed", none), flow.rows)
    applied = flow.rows - passed
    share = applied / np.maximum(flow.rows, 1e-9)
    size = flow.size * share
    held = min(seen.held, float(applied.mean()))
    unpaid = np.clip(1 - held / np.maximum(applied, 1e-9), 0.0, 1.0)
    units = _judged(node, applied, seen, chance) if node.model is None else None
    units = found.get("units", applied) if units is None else units
    prompt = found.get("prompt", none)

    def to_pay(whole: Array, paid: float | None) -> Array:
        """What is left of an amount of all rows; those that are paid for are known one by one."""
        if paid is None:
            return whole * unpaid
        return np.asarray(np.where(unpaid > 0, np.maximum(whole - held * paid, 0.0), 0.0))

    known = seen.settled
    first = to_pay(prompt, known.of("prompt") if known else None)
    rows = np.maximum(flow.rows, 1e-9)
    most_units: float | None = None
    most_prompt: float | None = None
    if flow.most is not None:
        dense = surely(units / rows)
        most_units = max(0.0, dense * max(flow.most - seen.held, 0.0))
    if "prompt" in found or node.model is None:
        most_prompt = surely(first / np.maximum(units * unpaid, 1e-9)) if first.any() else 0.0
        if flow.most is not None and flow.most_size is not None and flow.most_size > 0:
            # Rows that were expected to be left out may be longer than those that were seen.
            usual = float((flow.size / rows).mean())
            most_prompt *= max(1.0, flow.most_size / max(flow.most, 1e-9) / max(usual, 1e-9))
    return _Load(
        passed,
        applied,
        size,
        unpaid,
        units * unpaid,
        first,
        found.get("source", none) * unpaid,
        to_pay(size, known.size if known else None),
        weakest(flow.basis, basis),
        most_units,
        most_prompt,
        flow.grown,
        found.get("tokens_passed"),
        flow.basis if _even(seen.reached) and not seen.assumed else None,
    )


def _even(reached: Moments) -> bool:
    """Whether all of many rows are as many units."""
    if reached.rows < MANY or "units" not in reached.names:
        return False
    place = reached.names.index("units")
    return reached.cov[place][place] == 0 and reached.slope[place] == 0


def _judged(node: PlanNode, applied: Array, seen: NodeFacts, chance: Chance) -> Array | None:
    """Rows that an audit of a sample judges, where the sample of the survey does not say."""
    share = node.definition["params"].get("sample")
    if share is None or not seen.assumed:
        return None
    spread = math.sqrt((1 - share) / (share * max(float(applied.mean()), 1.0)))
    driver = Driver(node.name, "rows", "s", seen.rows_in)
    return applied * chance.around(driver, float(share), min(spread, 1.0))


def _most(load: _Load, calls: list[Call]) -> tuple[float | None, float | None, float | None]:
    """Calls, prompt and reply tokens at most."""
    units = load.most_units
    if units is None:
        return None, None, None
    prompt: float | None = 0.0
    for call in calls:
        size = call.longest_prompt if call.longest_prompt is not None else call.prompt
        if size is None:
            prompt = None
            break
        grown = max(load.most_prompt or 0.0, size) if call.first else size
        assert prompt is not None
        prompt += call.most * (grown + load.grown) * units
    return (
        units * sum(c.most for c in calls),
        prompt,
        units * sum(c.most * c.longest for c in calls),
    )


@dataclass(frozen=True, slots=True)
class _Made:
    """What unpaid rows ask for by model (calls, prompt, reply), and what all applied rows give."""

    asked: Mapping[str, tuple[Array | None, Array | None, Array | None]]
    rows: Array
    size: Array | None
    tokens: Array | None
    basis: Basis
    basis_calls: Basis
    basis_prompt: Basis
    basis_rows: Basis


def _by_replies(
    node: PlanNode, seen: NodeFacts, load: _Load, facts: Facts, chance: Chance
) -> _Made:
    """By rows whose replies are known."""
    import numpy as np

    settled = seen.settled
    assert settled is not None
    rows = load.applied * load.unpaid
    size = load.unpaid_size
    basis: Basis = "e" if not rows.any() else "a" if seen.assumed else "p"
    driver = Driver(node.name, "replies", basis, settled.rows)
    # The mean of the sample is off by s2/n, and what is left of the rows scatters around its own.
    factor = 1 + settled.rows / max(float(rows.mean()), 1.0) if rows.any() else 0.0
    prior = facts.priors.get(node.name)
    corrections = _corrections(node, settled, prior) if prior else {}
    unsure = ("rows_out",) if may_drop(node) else ()
    found = totals(
        settled,
        rows,
        size,
        chance,
        driver,
        factor=factor,
        unsure=unsure,
        corrections=corrections,
    )
    none = full(0.0)
    asked: dict[str, tuple[Array | None, Array | None, Array | None]] = {}
    for model in node.asked:
        prompt = found.get(f"prompt:{model}", none)
        first = found.get("prompt")
        if model == node.model and first is not None and load.prompt.any():
            # Many more prompts were counted than replies were seen.
            prompt = load.prompt * (prompt / np.maximum(first, 1e-9))
        asked[model] = (
            found.get(f"calls:{model}", none),
            prompt,
            found.get(f"reply:{model}", none),
        )
    held = load.applied - rows

    def whole(name: str) -> Array | None:
        mean = settled.of(name)
        return None if mean is None else found[name] + held * mean

    out = whole("rows_out")
    return _Made(
        asked,
        none if out is None else out,
        _passing(whole("size_out"), load),
        whole("tokens_out"),
        basis,
        basis,
        weakest(load.basis, basis) if rows.any() else "e",
        "e" if not rows.any() and seen.whole else "p" if not seen.assumed else "a",
    )


def _passing(size: Array | None, load: _Load) -> Array | None:
    """Bytes of what was made, and of the rows that passed as they came."""
    import numpy as np

    if size is None or not load.passed.any():
        return size
    each = load.size / np.maximum(load.applied, 1e-9)
    return size + load.passed * each


def _corrections(node: PlanNode, settled: Any, prior: Prior) -> dict[str, tuple[float, float]]:
    """What earlier runs say against a sample, by outcome."""
    units, found = settled.of("units") or 0.0, dict[str, tuple[float, float]]()
    calls = f"calls:{node.model}"
    reply = f"reply:{node.model}"
    expected = {
        calls: prior.calls * units,
        reply: prior.calls * prior.reply * units,
        "rows_out": prior.rows_out,
    }
    for name, before in expected.items():
        mean = settled.of(name)
        if mean:
            place = settled.names.index(name)
            variance = settled.cov[place][place] / mean**2
            found[name] = shrunk(mean, variance, before, prior.spread)
    return found


def _by_ladder(
    node: PlanNode, seen: NodeFacts, load: _Load, prior: Prior | None, chance: Chance
) -> _Made:
    """By the ladder, rung by rung."""
    import numpy as np

    basis: Basis = "h" if prior else "a"
    params = node.definition["params"]
    checked = bool(params.get("checks"))
    samples = int(params.get("samples") or 1)
    until = node.tuning.until or params.get("until")
    share = (
        chance.share(Driver(node.name, "checks", basis), PASS_LOGIT, PASS_SPREAD)
        if checked
        else chance.share(Driver(node.name, "whole replies", basis), WHOLE_LOGIT, WHOLE_SPREAD)
    )

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
                node, prior, load, drawn, prompt / np.maximum(calls, 1e-9), chance, longer
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
    return _Made(
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
    load: _Load,
    drawn: Array,
    prompt: Array,
    chance: Chance,
    longer: Array,
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
