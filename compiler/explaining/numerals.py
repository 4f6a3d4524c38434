"""A number of a plan in few characters: its value, its 90 % interval, and a letter for its basis.

`465k ±2% s`: half the interval as a share of the value, where it is narrow and even; else the
interval itself, `409k [325k–465k] a`. Exact numbers have neither, an unknown one is `?`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..estimating.numbers import Number
from ..quantities import show_count, show_money, show_share

Show = Callable[[float], str]
WIDE = 0.25
"""Above this share of the value an interval is written out: ±60 % says less than its ends."""
LOPSIDED = 0.34
"""And where its two sides differ by more than this share of its half-width."""
NONE = "–"
UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a table: a number in three pieces, or words.

    Attributes:
        value: The number, or the words.
        spread: `±2%` or `[325k–465k]`; empty where there is no interval.
        letter: Where it came from; empty for exact numbers and for words.
    """

    value: str = ""
    spread: str = ""
    letter: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.value, self.spread, self.letter)))


EMPTY = Cell()


def cell(number: Number | None, show: Show = show_count, *, spread: bool = True) -> Cell:
    """A number in a table.

    Args:
        number: None for what does not apply, such as calls of a filter.
        show: How its values are written.
        spread: Whether its interval is shown.
    """
    if number is None:
        return Cell(NONE)
    if number.value is None:
        return Cell(UNKNOWN)
    letter = "" if number.basis in "e?" else number.basis
    return Cell(show(number.value), spread_of(number, show) if spread else "", letter)


def spread_of(number: Number, show: Show = show_count) -> str:
    """The interval around a number: `±2%`, `[325k–465k]`, or nothing."""
    if number.value is None or number.interval is None:
        return ""
    low, high = number.interval
    half = (high - low) / 2
    if number.value > 0 and half <= WIDE * number.value:
        share = half / number.value
        uneven = abs(high + low - 2 * number.value) / number.value
        if uneven <= max(0.01, LOPSIDED * share):
            return f"±{_percent(share)}"
    shown = range_of(low, high, show)
    return f"[{shown}]" if "–" in shown else ""


def range_of(low: float, high: float, show: Show = show_count) -> str:
    """`325k–465k`, `$30.10–45.20`, `48–52%`; one value where both are shown alike."""
    first, last = show(low), show(high)
    if first == last:
        return first
    if first[-1:] == last[-1:] == "%":
        first = first[:-1]
    return f"{first}–{last.removeprefix('$') if first[:1] == '$' else last}"


def in_words(number: Number, show: Show = show_count) -> str:
    """For a sentence: `$37.20 [$30.10–45.20]`, `11.7 ±12%`; without its letter."""
    return str(Cell(cell(number, show).value, spread_of(number, show)))


def show_hours(hours: float) -> str:
    """Two digits, three from 10 on: 102, 11.4, 7.6, 0.0028."""
    if hours == 0 or hours >= 9.95:
        return show_count(hours)
    return f"{hours:.2g}" if hours >= 1e-4 else f"{hours:.6f}"


def show_usd(usd: float) -> str:
    """Money as a plan shows it."""
    return show_money(usd)


def show_percent(share: float) -> str:
    """50%, 12.5%."""
    return show_share(share)


def _percent(share: float) -> str:
    percent = share * 100
    return f"{int(percent + 0.5)}%" if percent >= 0.95 else f"{max(0.1, percent):.1f}%"
