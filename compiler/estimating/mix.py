"""What the parts of the mix can supply, what it takes of them, and the share of people's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..plan import Plan
from ..shares import settle_shares
from .chance import HIGH, LOW, REPLICATES, number
from .facts import Facts
from .flow import Flow
from .numbers import Basis, Number, weakest

if TYPE_CHECKING:
    from .chance import Array

TRIED = 200
"""Replicates for which the mix is settled."""


@dataclass(frozen=True, slots=True)
class Mixed:
    """The mix as forecast: see `Estimates`."""

    supply: Mapping[str, Number] = field(default_factory=dict)
    taken: Mapping[str, float] = field(default_factory=dict)
    human_share: Number | None = None
    epochs: Mapping[str, Number] = field(default_factory=dict)


def mixed(
    plan: Plan, facts: Facts, flows: Mapping[str, Flow], tokens: Mapping[str, Array | None]
) -> Mixed:
    """Settle the mix by what its parts are estimated to hold."""
    parts: dict[str, tuple[Array | None, Basis]] = {}
    for name, port in plan.outputs:
        part = ".".join(filter(None, (name, port)))
        if port:
            parts[part] = (None, "?")
        else:
            parts[part] = _supply(name, plan, facts, flows[name], tokens)
    supply = {part: number(*found) for part, found in parts.items()}
    known = {part: values for part, (values, _) in parts.items() if values is not None}
    if plan.mix is None or len(known) < len(parts):
        return Mixed(supply)
    human = {part: plan.origin_of(part) == "human" for part in supply}
    means = {part: n.value or 0.0 for part, n in supply.items()}
    shares = settle_shares(plan.mix, means, human)
    bases: list[Basis] = [basis for _, basis in parts.values()]
    basis = weakest(*bases)
    tried = [
        settle_shares(plan.mix, {p: float(v[k]) for p, v in known.items()}, human)
        for k in range(0, REPLICATES, REPLICATES // TRIED)
    ]
    of_people = [
        sum(t for p, t in s.targets.items() if human[p]) / s.total if s.total else 0.0
        for s in (shares, *tried)
    ]
    epochs = {
        part: _ranged(shares.epochs[part], [s.epochs[part] for s in tried], parts[part][1])
        for part in shares.epochs
    }
    share = _ranged(of_people[0], of_people[1:], basis) if shares.total else None
    return Mixed(supply, dict(shares.targets), share, epochs)


def _ranged(value: float, values: list[float], basis: Basis) -> Number:
    ordered = sorted(values)
    low, high = (ordered[round(q * (len(ordered) - 1))] for q in (LOW, HIGH))
    if high - low <= 1e-9 * max(abs(value), 1e-300):
        return Number(value, basis)
    return Number(value, basis, low, high)


def _supply(
    name: str, plan: Plan, facts: Facts, flow: Flow, tokens: Mapping[str, Array | None]
) -> tuple[Array | None, Basis]:
    """Tokens of a part."""
    import numpy as np

    if (found := tokens.get(name)) is not None:
        return found, flow.basis
    seen = facts.nodes.get(name)
    if flow.rows is None or seen is None or seen.reached is None:
        return None, "?"
    if seen.assumed and plan.renders.get(name, {}).get("modelled"):
        return None, "?"  # its template prints what no model has written yet
    for outcome, base in (("tokens_out", "rows_out"), ("source", "")):
        mean = seen.reached.of(outcome)
        # Of a step that asks, what is known is by row that reaches it.
        each = (seen.reached.of(base) if base in seen.reached.names else None) or 1.0
        if mean and each:
            # A rewrite is taken to be as long as its text.
            basis: Basis = "a" if outcome == "source" or seen.assumed else flow.basis
            grown = seen.reached.slope[seen.reached.names.index(outcome)]
            size = 0.0 if flow.size is None else grown * (flow.size - flow.rows * seen.reached.size)
            values = flow.rows * (mean / each) + size
            return np.maximum(values, 0.0), basis
    return (flow.rows * 0.0, flow.basis) if not flow.rows.any() else (None, "?")
