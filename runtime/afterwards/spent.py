"""What each step had paid for in a run, model by model: calls, tokens, dollars, GPU-hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ...compiler.budgets import OWN_HARDWARE
from ..planning.planned import price_of

if TYPE_CHECKING:
    from ...compiler.plan import Plan
    from ..cohort import Cohort
    from ..tab import Paid
    from ..window import Window


def spent_by_step(
    plan: Plan,
    windows: Mapping[str, Window],
    cohorts: Mapping[str, Cohort],
    estimates: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What a run paid for, by step, as its record holds it under `paid`.

    The hours in which a model was at work are shared out among steps by the time that their
    requests were under way.

    Args:
        plan: What ran.
        windows: By model.
        cohorts: By step, rows that are done.
        estimates: What was expected, for the prices that it took.

    Returns:
        By step: `rows` (those whose replies were not all held by the ledger), `held` (the others),
        `settled` (see `Settled`), and `models`: by model calls, tokens, seconds under way, `usd`
        (None where nobody knows the price) and `gpu_hours`.
    """
    found: dict[str, Any] = {}
    for step, cohort in cohorts.items():
        rows = cohort.all_rows - cohort.all_held
        settled = asdict(cohort.settled)
        found[step] = {"rows": rows, "held": cohort.all_held, "settled": settled, "models": {}}
    for model, window in windows.items():
        hours = busy_hours(plan, model, window)
        whole = sum(p.seconds for p in window.paid.values())
        for step, paid in window.paid.items():
            share = paid.seconds / whole if whole else 0.0
            made = {**paid.to_json(), "gpu_hours": hours * share}
            made["usd"] = dollars(plan, model, paid, hours * share, estimates)
            found.setdefault(step, {"rows": 0.0, "held": 0.0, "models": {}})
            found[step]["models"][model] = made
    return found


def busy_hours(plan: Plan, model: str, window: Window) -> float:
    """GPU-hours in which a model was at work; hours of the machine for engine `local`.

    Those of engines on other people's hardware are none of ours.
    """
    engine = plan.models[model]["engine"]
    if engine not in OWN_HARDWARE:
        return 0.0
    return window.stats.busy * gpus_of(plan, engine) / 3600


def gpus_of(plan: Plan, engine: str) -> int:
    """How many GPUs an engine takes."""
    return 1 if engine == "local" else int((plan.hardware or {}).get("count") or 1)


def dollars(
    plan: Plan, model: str, paid: Paid, hours: float, estimates: Mapping[str, Any] | None
) -> float | None:
    """What replies cost: by the token where there is a price, else by the hour where there is one.

    None where nobody knows.
    """
    price = price_of(model, estimates, plan)
    if price is not None:
        known = price.input if price.cached_input is None else price.cached_input
        fresh = paid.prompt_tokens - paid.cached_tokens
        return fresh * price.input + paid.cached_tokens * known + paid.reply_tokens * price.output
    engine, rate = plan.models[model]["engine"], (plan.hardware or {}).get("usd_per_gpu_hour")
    if engine in OWN_HARDWARE and rate is not None:
        return hours * float(rate)
    return 0.0 if engine in ("fake", "local") else None
