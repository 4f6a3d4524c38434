"""What tokens cost, where the recipe says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def cost(
    price: Mapping[str, Any] | None, prompt: float, reply: float, cached: float = 0
) -> float | None:
    """US dollars for tokens in and out; None without a price.

    Args:
        price: A plan's `models.X.price`: dollars for `per` tokens.
        prompt: Tokens in.
        reply: Tokens out.
        cached: Of `prompt`, those that the server had seen before.
    """
    if not price:
        return None
    fresh = float(price["input"])
    known = price.get("cached_input")
    paid = (prompt - cached) * fresh + cached * (fresh if known is None else float(known))
    return (paid + reply * float(price["output"])) / float(price["per"])
