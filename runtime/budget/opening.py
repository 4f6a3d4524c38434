"""The purse of a run, from its plan and the runs before it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...compiler.budgets import CAPS, OWN_HARDWARE
from ...compiler.guarding.defaults import default_caps
from ..runs import RunFolder
from .amounts import Price, whole
from .carried import carried, write_spent
from .deadline import Deadline
from .nopurse import NoPurse
from .purse import Purse

if TYPE_CHECKING:
    from ...compiler.plan import Plan


def open_purse(plan: Plan, folder: RunFolder, state: Path) -> Purse | NoPurse:
    """The purse of a run; one without caps where the budget has none, and nothing has a price.

    Args:
        plan: Its budget, prices and hardware.
        folder: Of the run, for `spent.json`.
        state: The project's state folder, with the runs before it.

    Raises:
        OSError: Runs cannot be read.
    """
    hardware = plan.hardware or {}
    clock = Deadline(int(hardware.get("count") or 1))
    caps = caps_of(plan.budget) or caps_of(default_caps(plan))
    if not caps:
        return NoPurse(clock)
    name = str(plan.recipe["name"])
    return Purse(
        caps,
        {m: Price.of(said["price"]) for m, said in plan.models.items() if said.get("price")},
        carried(state, name, folder.id),
        clock,
        rate_of(plan),
        partial(write_spent, folder, name),
    )


def caps_of(budget: Mapping[str, Any] | None) -> dict[str, int]:
    """Caps by path, in the units that are counted."""
    if not budget:
        return {}
    found = {f"budget.{kind}": whole(kind, budget[kind]) for kind in CAPS if kind in budget}
    for step, own in (budget.get("steps") or {}).items():
        found |= {f"budget.steps.{step}.{kind}": whole(kind, own[kind]) for kind in own}
    return found


def rate_of(plan: Plan) -> int:
    """What a GPU-millisecond costs in 10⁻¹² dollars, rounded up.

    Nothing where a price a token covers all models that run on our hardware: their time is in it.
    """
    said = (plan.hardware or {}).get("usd_per_gpu_hour")
    own = [m for m in plan.models.values() if m["engine"] in OWN_HARDWARE and not m.get("price")]
    if not said or not own:
        return 0
    per_hour = whole("usd", said)
    return -(-per_hour // whole("gpu_hours", 1))
