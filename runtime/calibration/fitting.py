"""Which measured rates fit a check of a plan."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from ...compiler.registry import Column, Count, Operator, Ratio, Share
from ...compiler.worth.gates import GateRates
from ...compiler.worth.lineage import steps_before
from .shipped import SHIPPED

if TYPE_CHECKING:
    from ...compiler.plan import Plan, PlanNode
    from .store import Kept

NUMBERS = (Share, Ratio, Count, int, float)
"""Types of parameters that can be tried at many values."""


def own_rates(
    check: Mapping[str, Any], operator: Operator, stored: Iterable[Kept]
) -> GateRates | None:
    """The project's own rates of a check: with its parameters, else with other numbers in them.

    Args:
        check: As a definition holds it.
        operator: Its kind.
        stored: Calibrations, the newest first.
    """
    near: GateRates | None = None
    for one in stored:
        if (one.kind, one.version) != (operator.name, operator.version):
            continue
        other = difference(operator, check["params"], one.params)
        if other == ():
            return one.rates(())
        if other and near is None:
            near = one.rates(other)
    return near


def shipped_rates(
    check: Mapping[str, Any], operator: Operator, writers: frozenset[str]
) -> GateRates | None:
    """What was measured of a check as it is shipped.

    Args:
        check: As a definition holds it.
        operator: Its kind.
        writers: Models that wrote what it judges. What the labelled rows tell of a pool holds for
            the model alone that wrote them.
    """
    usual = {p.name: p.default for p in operator.params}
    near: GateRates | None = None
    for one in SHIPPED:
        if (one.kind, one.version) != (operator.name, operator.version):
            continue
        other = difference(operator, check["params"], {**usual, **one.params})
        if other is None:
            continue
        drawn = bool(one.writer) and bool(writers) and all(one.writer in w.lower() for w in writers)
        rates = replace(one.rates, drawn=drawn)
        if not other:
            return rates
        told = f"{rates.origin}; measured with other {' and '.join(other)}"
        near = near or replace(rates, origin=told, alike=False)
    return near


def difference(
    operator: Operator, params: Mapping[str, Any], other: Mapping[str, Any]
) -> tuple[str, ...] | None:
    """Names of the numbers that differ between two forms of a check; None where more than those do.

    Columns are where a check looks, not what it is. A number that is left to the operator and one
    that is given differ.
    """
    kinds = {p.name: p.type for p in operator.params}
    differing = [
        name
        for name in sorted({*params, *other})
        if core(kinds.get(name)) is not Column
        and _plain(params.get(name)) != _plain(other.get(name))
    ]
    if any(core(kinds.get(name)) not in NUMBERS for name in differing):
        return None
    return tuple(differing)


def writers_before(node: PlanNode, plan: Plan) -> frozenset[str]:
    """The models that wrote what a step's checks judge: its own, else those before it."""
    steps = [node] if node.model else steps_before(node.name, plan)
    return frozenset(str(plan.models[n.model]["model"]) for n in steps if n.model)


def core(hint: Any) -> Any:
    """The type of a parameter, without its `None`."""
    given = [a for a in get_args(hint) if a is not type(None)]
    return given[0] if len(given) == 1 and type(None) in get_args(hint) else hint


def _plain(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return json.dumps(value, sort_keys=True, default=str)
    return f"{float(value):.12g}"
