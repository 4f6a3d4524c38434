"""Numbers of a plan: short, and never surer than they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.compiler.estimating.numbers import NOTHING, UNKNOWN, Number
from mashbill.compiler.explaining.numerals import Show, cell, range_of, show_hours, spread_of
from mashbill.compiler.quantities import parse_count, show_count, show_money, show_share

from .samples import about, between, exact


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (exact(465_000), "465k"),
        (NOTHING, "0"),
        (UNKNOWN, "?"),
        (None, "–"),
        (Number(465_000.0, "s"), "465k s"),
        (about(465_000, 0.02, "s"), "465k ±2% s"),
        (about(465_000, 0.25, "p"), "465k ±25% p"),
        (about(465_000, 0.26, "p"), "465k [344k–586k] p"),
        (about(465_000, 0.004, "s"), "465k ±0.4% s"),
        (about(465_000, 1e-6, "s"), "465k ±0.1% s"),
        (about(465_000, 0.0, "s"), "465k s"),
        (between(409_000, 325_000, 465_000, "a"), "409k [325k–465k] a"),
        (between(409_000, 360_000, 520_000, "a"), "409k [360k–520k] a"),
        (between(100, 98, 103, "h"), "100 ±3% h"),
        (between(100, 90, 130, "h"), "100 [90–130] h"),
        (between(0, 0, 12, "s"), "0 [0–12] s"),
        (between(2e12, 1e9, 2e13, "a"), "2.00T [1.00B–20.0T] a"),
        (between(5, 1, 2, "a"), "5 [1–2] a"),  # a mean outside, as of a few enormous rows
    ],
)
def test_a_number_in_a_table(number: Number | None, shown: str) -> None:
    assert str(cell(number)) == shown


@pytest.mark.parametrize(
    ("low", "high", "show", "shown"),
    [
        (30.1, 45.2, show_money, "$30.10–45.20"),
        (0.48, 0.52, show_share, "48–52%"),
        (9.4, 14, show_hours, "9.4–14"),
        (999, 465_000, show_count, "999–465k"),
        (1000, 1001, show_count, "1.00k"),
        (101.7, 0.0028, show_hours, "102–0.0028"),
        (0, 0.00003, show_hours, "0–0.000030"),
    ],
)
def test_a_range(low: float, high: float, show: Show, shown: str) -> None:
    assert range_of(low, high, show) == shown


sizes = st.floats(1e-3, 1e14, allow_nan=False)


@given(sizes, st.floats(0, 3), st.floats(0, 3))
def test_a_spread_holds_the_interval(value: float, below: float, above: float) -> None:
    """What is written is never narrower than the interval by more than its rounding."""
    low, high = value * max(0.0, 1 - below), value * (1 + above)
    shown = spread_of(Number(value, "s", low, high))
    if shown.startswith("±"):
        percent = float(shown[1:-1])
        assert abs(percent - (high - low) / value * 50) <= max(0.5, 0.1)
        assert percent <= 25.5
        uneven = abs((high - value) - (value - low))
        assert uneven <= max(0.01 * value, 0.34 * (high - low) / 2) + 1e-9 * value
    elif shown:
        assert shown == f"[{show_count(low)}–{show_count(high)}]"
    else:
        assert low == high or show_count(low) == show_count(high)


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=20))
def test_a_shown_total_is_the_sum_of_what_is_shown(values: list[int]) -> None:
    """Each number is rounded to half a unit of its third digit; a sum can differ by no more."""

    def read(number: float) -> float:
        count = parse_count(show_count(number))
        assert not isinstance(count, str)
        return count

    slack = sum(0.005 * value for value in values) + 0.005 * sum(values)
    assert abs(sum(map(read, values)) - read(sum(values))) <= slack + 1
