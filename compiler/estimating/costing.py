"""Dollars and GPU-hours of calls and tokens.

A prompt that a server has seen before may be cheaper: what is expected counts on that where the
price names it, the worst case does not. Local prefix caches spare time, not tokens.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..budgets import OWN_HARDWARE
from ..plan import Plan
from .amounts import NONE, Amount, Amounts, nothing
from .chance import Chance, Driver
from .facts import Facts, Speed
from .numbers import weakest

if TYPE_CHECKING:
    from .chance import Array

HIT_LOGIT, HIT_SPREAD = 0.6, 1.0
"""Share of the tokens of a common prefix that a server really has in its cache: its logit `[ours]`.
No vendor guarantees a hit."""
SLOWEST = 3.0
"""Standard deviations below its estimate that a model's speed is taken to be at worst."""


def costed(
    model: str,
    calls: Amount,
    prompt: Amount,
    reply: Amount,
    plan: Plan,
    facts: Facts,
    chance: Chance,
    prefix: float = 0.0,
) -> Amounts:
    """Calls and tokens of a model with what they cost.

    Args:
        model: By the recipe's name.
        calls: To be paid for.
        prompt: Their prompt tokens.
        reply: Their reply tokens.
        plan: Whose models and hardware they are.
        facts: Prices and speeds.
        chance: Draws.
        prefix: Share of the prompt tokens that all prompts begin with.
    """
    hours = _hours(model, prompt, reply, plan, facts, chance)
    return Amounts(
        calls,
        prompt,
        reply,
        _dollars(model, prompt, reply, hours, plan, facts, chance, prefix),
        hours,
    )


def _hours(
    model: str, prompt: Amount, reply: Amount, plan: Plan, facts: Facts, chance: Chance
) -> Amount:
    if plan.models[model]["engine"] not in OWN_HARDWARE:
        return nothing()
    if reply.values is not None and not reply.values.any() and not reply.most:
        return nothing()
    speed = facts.speeds.get(model)
    if speed is None or not speed.reply:
        return NONE
    driver = Driver(model, "speed", speed.basis)
    values: Array | None = None
    if reply.values is not None:
        seconds = reply.values / speed.reply
        if speed.prompt and prompt.values is not None:
            seconds = seconds + prompt.values / speed.prompt
        values = seconds / 3600 * chance.around(driver, 1.0, speed.spread)
    return Amount(values, weakest(reply.basis, driver.basis), _most_hours(prompt, reply, speed))


def _most_hours(prompt: Amount, reply: Amount, speed: Speed) -> float | None:
    if reply.most is None:
        return None
    seconds = reply.most / speed.reply
    if speed.prompt:
        if prompt.most is None:
            return None
        seconds += prompt.most / speed.prompt
    return seconds / 3600 * math.exp(SLOWEST * speed.spread)


def _dollars(
    model: str,
    prompt: Amount,
    reply: Amount,
    hours: Amount,
    plan: Plan,
    facts: Facts,
    chance: Chance,
    prefix: float,
) -> Amount:
    price = facts.prices.get(model)
    engine = plan.models[model]["engine"]
    if price is None:
        rate = (plan.hardware or {}).get("usd_per_gpu_hour")
        if engine in OWN_HARDWARE and rate is not None:
            return _scaled(hours, float(rate))
        idle = prompt.values is not None and not prompt.values.any() and not prompt.most
        return NONE if (model in facts.unpriced or engine == "vllm") and not idle else nothing()
    most = None
    if prompt.most is not None and reply.most is not None:
        most = prompt.most * price.input + reply.most * price.output
    if prompt.values is None or reply.values is None:
        return Amount(None, "?", most)
    paid: Any = prompt.values * price.input
    if price.cached_input is not None and prefix > 0 and price.cached_input < price.input:
        hits = prefix * chance.share(Driver(model, "cache hits", "a"), HIT_LOGIT, HIT_SPREAD)
        paid = paid - prompt.values * hits * (price.input - price.cached_input)
    values = paid + reply.values * price.output
    return Amount(values, weakest(prompt.basis, reply.basis), most)


def _scaled(amount: Amount, factor: float) -> Amount:
    return Amount(
        None if amount.values is None else amount.values * factor,
        amount.basis,
        None if amount.most is None else amount.most * factor,
    )
