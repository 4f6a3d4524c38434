"""Rates, intervals and what they come to, against known values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.runtime.calibration.figures import Judged, figures_of, mistakes, precision_interval
from mashbill.runtime.calibration.labelled import Example
from mashbill.runtime.calibration.rates import Rate


@pytest.mark.parametrize(
    ("kept", "of", "low", "high"),
    [  # Newcombe 1998, Statistics in Medicine 17, table I, method 3 (score without continuity)
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_intervals_are_wilsons(kept: int, of: int, low: float, high: float) -> None:
    assert Rate(kept, of).interval() == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 500), st.integers(1, 500))
def test_an_interval_holds_its_share(kept: int, of: int) -> None:
    rate = Rate(min(kept, of), of)
    low, high = rate.interval()
    assert rate.share is not None and 0 <= low <= rate.share <= high <= 1
    other = Rate(of - rate.kept, of).interval()
    assert (1 - other[1], 1 - other[0]) == pytest.approx((low, high))
    wide = high - low
    more = Rate(rate.kept * 10, of * 10).interval()
    assert more[1] - more[0] < wide


def test_nothing_counted_is_no_share() -> None:
    assert Rate(0, 0).share is None
    assert Rate(0, 0).interval() == (0.0, 1.0)


def judged(good: bool, kept: bool | None, *kinds: str, reason: str = "lost") -> Judged:
    example = Example(1, {}, good, kinds, "g")
    return Judged(example, kept, "" if kept else reason, {})


def rows(phi: tuple[int, int], psi: tuple[int, int]) -> list[Judged]:
    sides = ((True, phi), (False, psi))
    return [judged(good, i < kept) for good, (kept, of) in sides for i in range(of)]


@pytest.mark.parametrize(
    ("phi", "psi", "even"),
    [(90, 30, 0.75), (95, 10, 0.9048), (70, 5, 0.9333), (50, 50, 0.5), (10, 0, 1.0)],
)
def test_the_break_even_share_of_wrong_rows(phi: int, psi: int, even: float) -> None:
    figures = figures_of(rows((phi, 100), (psi, 100)))
    assert figures.break_even == pytest.approx(even, abs=5e-5)
    # There, as many wrong rows as right ones are kept.
    assert figures.precision(even) == pytest.approx(0.5, abs=1e-3) or psi == 0


def test_precision_and_yield_follow_the_pool() -> None:
    figures = figures_of(rows((80, 100), (10, 50)))
    assert figures.wrong == pytest.approx(1 / 3)
    assert figures.precision(1 / 3) == pytest.approx(80 / 90)
    assert figures.yield_(1 / 3) == pytest.approx(90 / 150)
    assert figures.precision(0.5) == pytest.approx(0.8)
    assert figures.yield_(0.5) == pytest.approx(0.5)
    assert figures.balanced_accuracy == pytest.approx(0.8)
    assert figures.precision_interval(1 / 3) == Rate(80, 90).interval()
    low, high = figures.precision_interval(0.5)
    assert low < 0.8 < high


def test_nothing_kept_has_no_precision() -> None:
    figures = figures_of(rows((0, 10), (0, 10)))
    assert figures.precision(0.5) is None and figures.break_even is None
    assert precision_interval(figures.phi, figures.psi, 0.5) == (0.0, 1.0)


def test_kinds_reasons_and_errors_are_counted_apart() -> None:
    found = [
        judged(True, True),
        judged(True, False, reason="short"),
        judged(False, True, "name"),
        judged(False, False, "name", "number"),
        judged(False, False, "number", reason="short"),
        judged(False, None, "number", reason="crash"),
        judged(True, None, reason="crash"),
    ]
    figures = figures_of(found)
    assert (figures.phi, figures.psi) == (Rate(1, 2), Rate(1, 3))
    assert figures.by_kind == {"name": Rate(1, 2), "number": Rate(0, 2)}
    assert figures.reasons == {"short": (1, 1), "lost": (0, 1)}
    assert figures.errors == {"crash": 2}
    assert mistakes(found, kept=True) == [found[2]]
    assert mistakes(found, kept=False) == [found[1]]
