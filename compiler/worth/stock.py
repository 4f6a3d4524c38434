"""The human text that there is, for scale: Villalobos et al. 2024 (arXiv:2211.04325, version 2)."""

from __future__ import annotations

from .figure import Figure

STOCK = Figure(300e12, 100e12, 1000e12, "Epoch AI 2024: public text, 90 % interval")
"""Tokens of public text by people, weighed by quality and by how often they can be repeated."""
USED_UP = (2026, 2032)
"""The years in which training sets come to need all of it, 80 % interval; median 2028."""


def share(tokens: Figure) -> Figure:
    """How much of the stock so many tokens are; the band is that of both."""
    low, high = tokens.ends
    stock_low, stock_high = STOCK.ends
    if tokens.value is None or low is None or high is None:
        return Figure(None, origin="unknown")
    assert STOCK.value is not None and stock_low is not None and stock_high is not None
    return Figure(tokens.value / STOCK.value, low / stock_high, high / stock_low, STOCK.origin)
