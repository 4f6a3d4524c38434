"""What of a budget is spent, for the record and for progress."""

from __future__ import annotations

from typing import Any

from .amounts import NO_LIMIT, in_plan
from .nopurse import NoPurse
from .purse import Purse
from .words import at_cap, of_cap


def report(purse: Purse | NoPurse) -> dict[str, Any] | None:
    """For the record: a sentence a cap, caps in the plan's units, and the runs that count too.

    None where nothing is capped.
    """
    if isinstance(purse, NoPurse):
        return None
    capped = [g for g in purse.gauges.values() if g.limit < NO_LIMIT]
    return {
        "said": [at_cap(gauge, purse.carry.runs) for gauge in capped],
        "caps": {
            gauge.path: {
                "limit": in_plan(gauge.kind, gauge.limit),
                "spent": in_plan(gauge.kind, gauge.spent),
                "carried": in_plan(gauge.kind, gauge.carried),
                "over": in_plan(gauge.kind, max(0, gauge.spent - gauge.limit)),
            }
            for gauge in capped
        },
        "carried_from": list(purse.carry.runs),
    }


def line(purse: Purse | NoPurse) -> str:
    """For progress: the cap that is used most, `$8.57 of $150`; empty where nothing is capped."""
    capped = [g for g in purse.gauges.values() if g.limit < NO_LIMIT]
    return of_cap(max(capped, key=lambda g: g.spent / g.limit)) if capped else ""
