"""What is wrong with the price of a model: its unit, or its age."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from .diagnostics import Diagnostic, Span
from .quantities import show_money
from .recipe import Recipe
from .scope import Binding

PER_MILLION = 10**6
CHEAPEST, DEAREST = 0.0005, 10_000.0
"""Dollars a million tokens between which prices of 2023 to 2026 lie, with room on both sides: the
dearest cost $600, the cheapest one cent."""
STALE_DAYS = 180


def check_prices(binding: Binding) -> Iterator[Diagnostic]:
    """Report prices that are a million times off, or swapped."""
    for model in binding.recipe.models:
        price = model.price
        if price is None or binding.faulty(price.span):
            continue
        spans = dict(price.spans)
        given = {"input": price.input, "output": price.output, "cached_input": price.cached_input}
        for key, value in given.items():
            if value:
                yield from _unit(key, value, value / price.per * PER_MILLION, spans[key], price.per)
        sound = not binding.faulty(spans.get("input"))
        if sound and price.cached_input is not None and price.cached_input > price.input:
            yield Diagnostic(
                "B553",
                f"price.cached_input {show_money(price.cached_input)} is above price.input "
                f"{show_money(price.input)}",
                spans["cached_input"],
                help="what a server has seen before costs less; are the two swapped?",
            )


def _unit(key: str, value: float, million: float, span: Span, per: int) -> Iterator[Diagnostic]:
    if CHEAPEST <= million <= DEAREST:
        return
    unit = "1M tokens" if per == PER_MILLION else f"{per:,} token{'s' * (per > 1)}"
    said = f"price.{key} {value:.10f}".rstrip("0").rstrip(".") + f" per {unit}"
    if million < CHEAPEST and CHEAPEST <= value * PER_MILLION <= DEAREST:
        looks, hint = "looks like a price per token", f"write `{value * PER_MILLION:.10g}`"
        hint += " per 1M tokens"
    elif million > DEAREST and CHEAPEST <= value <= DEAREST:
        looks, hint = "looks like a price per 1M tokens", "write `per: 1M tokens`"
    else:
        looks, hint = f"is {show_money(million)} per 1M tokens", "mend the price, or its `per`"
    yield Diagnostic("B553", f"{said} {looks}", span, help=hint)


def stale_prices(recipe: Recipe, today: date) -> Iterator[Diagnostic]:
    """Prices that were looked up long before a day."""
    for model in recipe.models:
        day = model.price.as_of if model.price else None
        if model.price and day and (age := (today - day).days) > STALE_DAYS:
            yield Diagnostic(
                "B552",
                f"the price of `{model.name}` is {age} days old",
                dict(model.price.spans)["as_of"],
                help="look it up again, and set `as_of` to the day",
            )
