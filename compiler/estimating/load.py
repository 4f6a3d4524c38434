"""What reaches a step that asks models, before anything is asked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..plan import PlanNode
from .attempts import Call
from .chance import Chance, Driver, full, surely
from .facts import Moments, NodeFacts
from .flow import Flow
from .numbers import Basis, weakest
from .regression import totals

if TYPE_CHECKING:
    from .chance import Array

MANY = 100
"""Sampled rows from which on an outcome that never varied is taken not to."""


@dataclass(frozen=True, slots=True)
class Load:
    """Rows and tokens.

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


def load_of(node: PlanNode, flow: Flow, seen: NodeFacts, chance: Chance) -> Load:
    """What of the rows that reach a step is to be asked for."""
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
    return Load(
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


def most_of(load: Load, calls: list[Call]) -> tuple[float | None, float | None, float | None]:
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
