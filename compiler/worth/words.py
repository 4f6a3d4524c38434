"""Numbers of a worth in words: each with `?` where it is not known, and its band behind it."""

from __future__ import annotations

from ..quantities import show_count, show_share
from .figure import Figure
from .layout import banded


def counted(value: float | None) -> str:
    """A count."""
    return "?" if value is None else show_count(value)


def count(figure: Figure) -> str:
    """A count with its band."""
    low, high = figure.ends
    return banded(counted(figure.value), figure, counted(low), counted(high))


def decimal(value: float | None, digits: int = 2) -> str:
    """A small number."""
    return "?" if value is None else f"{value:.{digits}f}"


def decimals(figure: Figure, digits: int = 2) -> str:
    """A small number with its band."""
    low, high = (decimal(end, digits) for end in figure.ends)
    return banded(decimal(figure.value, digits), figure, low, high)


def share(value: float | None) -> str:
    """A share however small or large: 47 times, 50%, 0.02%, under a millionth."""
    if value is None:
        return "?"
    if value >= 9.95:
        return f"{value:,.0f} times"
    if value >= 1.005:
        return f"{value:.1f} times"
    if value >= 0.001 or value == 0:
        return show_share(value)
    return f"{value * 100:.1g}%" if value >= 1e-6 else "under a millionth"


def rough(value: float | None) -> str:
    """A share of which no more than two digits are known: 4%, 0.02%, 47 times."""
    if value is None or value < 0.001 or value >= 0.995:
        return share(value)
    return f"{float(f'{value * 100:.2g}'):g}%"


def shares(figure: Figure) -> str:
    """A share with its band."""
    low, high = (share(end) for end in figure.ends)
    return banded(share(figure.value), figure, low, high)


def flops(value: float | None) -> str:
    """5.7e13."""
    return "?" if value is None else f"{value:.1e}".replace("e+", "e")


def band(figure: Figure) -> str:
    """The band alone; empty where there is none that shows."""
    low, high = counted(figure.low), counted(figure.high)
    return "" if figure.band is None or low == high else f"{low}–{high}"
