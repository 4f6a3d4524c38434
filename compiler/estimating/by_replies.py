"""What a step asks for, by rows whose replies are known: a pilot's, an earlier run's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..plan import PlanNode
from .attempts import may_drop
from .chance import Chance, Driver, full
from .facts import Facts, NodeFacts, Prior
from .load import Load
from .made import Made
from .numbers import Basis, weakest
from .regression import shrunk, totals

if TYPE_CHECKING:
    from .chance import Array


def by_replies(node: PlanNode, seen: NodeFacts, load: Load, facts: Facts, chance: Chance) -> Made:
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
    return Made(
        asked,
        none if out is None else out,
        _passing(whole("size_out"), load),
        whole("tokens_out"),
        basis,
        basis,
        weakest(load.basis, basis) if rows.any() else "e",
        "e" if not rows.any() and seen.whole else "p" if not seen.assumed else "a",
    )


def _passing(size: Array | None, load: Load) -> Array | None:
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
