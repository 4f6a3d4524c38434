"""What a run that reached a cap says: how much is gone, and what to type to go on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...compiler.quantities import show_duration, show_money
from .amounts import PICO, TIMED

if TYPE_CHECKING:
    from .exhausted import Exhausted
    from .gauge import Gauge

_CENT, _HOUR = PICO // 100, 3_600_000
_UNITS = {"requests": "requests", "input_tokens": "input tokens", "tokens": "output tokens"}


def at_cap(gauge: Gauge, runs: Sequence[str] = ()) -> str:
    """`budget.tokens: 2,999,100 of 3,000,000 output tokens spent (12,300 carried from r-0004)`.

    Time is a deadline: `budget.wall: all of 24h spent, 12 s over`.
    """
    kind, limit = gauge.kind, gauge.limit
    if kind in TIMED and gauge.spent >= limit:
        unit = " GPU-h" if kind == "gpu_hours" else ""
        said = f"{gauge.path}: all of {typed(kind, limit)}{unit} spent"
        if gauge.spent > limit:
            said += f", {amount(kind, gauge.spent - limit)} over"
    else:
        said = f"{gauge.path}: {of_cap(gauge)} spent"
    if gauge.carried and runs:
        since = runs[0] if len(runs) == 1 else f"{runs[0]} to {runs[-1]}"
        said += f" ({amount(kind, gauge.carried)} carried from {since})"
    return said


def of_cap(gauge: Gauge) -> str:
    """`2,999,100 of 3,000,000 output tokens`, `$8.57 of $150`."""
    unit = f" {_UNITS[gauge.kind]}" if gauge.kind in _UNITS else ""
    return f"{amount(gauge.kind, gauge.spent)} of {amount(gauge.kind, gauge.limit)}{unit}"


def raised(error: Exhausted) -> str:
    """The option that doubles the cap: `--set budget.tokens=6M`."""
    gauge = error.gauge
    enough = 2 * (gauge.limit if 2 * gauge.spent <= 3 * gauge.limit else gauge.spent)
    return f"--set {gauge.path}={typed(gauge.kind, enough)}"


def amount(kind: str, value: int) -> str:
    """For people; money is rounded down, so that what fits under a cap is never shown above it."""
    if kind == "usd":
        cents = value // _CENT
        if cents < 10:
            return show_money(value / PICO)
        return f"${cents / 100:,.2f}" if cents % 100 else f"${cents // 100:,}"
    if kind == "wall":
        return show_duration(value / 1000)
    if kind == "gpu_hours":
        return f"{value / _HOUR:,.2f} GPU-h"
    return f"{value:,}"


def typed(kind: str, value: int) -> str:
    """As the recipe would say it: no less than `value`, and little more."""
    if kind == "usd":
        return _plain(-(-value // _CENT))
    if kind == "gpu_hours":
        return _plain(-(-value * 100 // _HOUR))
    if kind == "wall":
        seconds = -(-value // 1000)
        for unit, size in (("h", 3600), ("m", 60)):
            if seconds >= 2 * size or seconds % size == 0:
                return f"{-(-seconds // size)}{unit}"
        return f"{seconds}s"
    grain = 10 ** max(0, len(str(value)) - 3)
    rounded = -(-value // grain) * grain
    for unit, size in (("B", 10**9), ("M", 10**6), ("k", 10**3)):
        if rounded >= size:
            return f"{rounded / size:g}{unit}" if rounded < 1000 * size else f"{rounded}"
    return str(rounded)


def _plain(hundredths: int) -> str:
    """300, or 0.25."""
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02d}" if rest else str(whole)
