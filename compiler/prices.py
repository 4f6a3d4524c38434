"""What is wrong with the price of a model: its unit, or its age."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    """Report prices of the recipe that are a million times off, or swapped."""
    for model in binding.recipe.models:
        price = model.price
        if price is None or binding.faulty(price.span):
            continue
        spans = dict(price.spans)
        given = {"input": price.input, "output": price.output, "cached_input": price.cached_input}
        sound = not binding.faulty(spans.get("input"))
        yield from price_problems("price.", given, price.per, spans, compare=sound)


def price_problems(
    prefix: str,
    given: Mapping[str, float | None],
    per: int,
    spans: Mapping[str, Span],
    *,
    compare: bool = True,
) -> Iterator[Diagnostic]:
    """What is wrong with one price.

    Args:
        prefix: What stands before its keys in a sentence: `price.`.
        given: Dollars for `per` tokens, by `input`, `output` and `cached_input`.
        per: How many tokens that is for.
        spans: Of what was written.
        compare: Whether `input` can be relied on.
    """
    for key, value in given.items():
        if value and key in spans:
            yield from _unit(f"{prefix}{key}", value, value / per * PER_MILLION, spans[key], per)
    fresh, cached = given["input"] or 0.0, given["cached_input"]
    if compare and cached is not None and cached > fresh:
        yield Diagnostic(
            "B553",
            f"{prefix}cached_input {show_money(cached)} is above {prefix}input {show_money(fresh)}",
            spans["cached_input"],
            help="what a server has seen before costs less; are the two swapped?",
        )


def _unit(key: str, value: float, million: float, span: Span, per: int) -> Iterator[Diagnostic]:
    if CHEAPEST <= million <= DEAREST:
        return
    unit = "1M tokens" if per == PER_MILLION else f"{per:,} token{'s' * (per > 1)}"
    said = f"{key} {value:.10f}".rstrip("0").rstrip(".") + f" per {unit}"
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
