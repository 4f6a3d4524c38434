"""What a check is worth as a gate."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mashbill.compiler.worth.figure import UNKNOWN, Figure
from mashbill.compiler.worth.gates import (
    GateRates,
    assess_gate,
    break_even,
    kept_share,
    precision,
    wrong_share,
)
from mashbill.compiler.worth.intervals import Z90, wilson

RATES = st.floats(0.001, 1.0)
SHARES = st.floats(0.0, 1.0)


@pytest.mark.parametrize(
    ("phi", "psi", "bears"), [(0.9, 0.3, 0.75), (0.95, 0.1, 0.905), (0.7, 0.05, 0.933)]
)
def test_published_break_evens(phi: float, psi: float, bears: float) -> None:
    assert break_even(phi, psi) == pytest.approx(bears, abs=5e-4)


@given(phi=RATES)
def test_a_check_that_does_not_choose_bears_half(phi: float) -> None:
    assert break_even(phi, phi) == pytest.approx(0.5)
    assert break_even(phi, 0.0) == 1.0
    assert break_even(0.0, phi) is None


@given(phi=RATES, psi=RATES)
def test_at_the_break_even_half_of_what_is_kept_is_right(phi: float, psi: float) -> None:
    bears = break_even(phi, psi)
    assert bears is not None
    assert precision(phi, psi, bears) == pytest.approx(0.5)


@given(phi=RATES, psi=SHARES, wrong=SHARES)
def test_precision_times_yield_is_what_is_right_and_kept(
    phi: float, psi: float, wrong: float
) -> None:
    right = precision(phi, psi, wrong)
    assume(right is not None)
    assert right is not None
    assert right * kept_share(phi, psi, wrong) == pytest.approx((1 - wrong) * phi, abs=1e-12)
    below = break_even(phi, psi)
    assert below is not None
    assume(abs(wrong - below) > 1e-9)
    assert (right > 0.5) == (wrong < below)


@given(phi=RATES, psi=SHARES, wrong=SHARES)
def test_the_share_of_wrong_rows_is_found_from_the_yield(
    phi: float, psi: float, wrong: float
) -> None:
    assume(phi - psi > 1e-3)
    assert wrong_share(phi, psi, kept_share(phi, psi, wrong)) == pytest.approx(wrong, abs=1e-6)


def test_a_check_that_does_not_choose_tells_nothing_of_the_pool() -> None:
    assert wrong_share(0.5, 0.5, 0.5) is None
    assert wrong_share(0.9, 0.1, 0.95) == 0.0
    assert wrong_share(0.9, 0.1, 0.05) == 1.0


LABELLED = GateRates(52, 63, 4, 97, "labelled.jsonl")


def test_rates_of_labelled_rows() -> None:
    gate = assess_gate("book", "facts", "facts", LABELLED)
    assert gate.phi.value == pytest.approx(52 / 63)
    assert (gate.phi.low, gate.phi.high) == wilson(52, 63, Z90)
    assert gate.wrong.value == pytest.approx(97 / 160)
    assert gate.precision.value == pytest.approx(52 / 56)
    assert gate.kept.value == pytest.approx(56 / 160)
    assert gate.tolerated.value == pytest.approx(1 / (1 + (4 / 97) / (52 / 63)))
    assert gate.dearer.value == pytest.approx(160 / 56)
    for figure in (gate.precision, gate.kept, gate.tolerated, gate.dearer):
        assert figure.low is not None and figure.value is not None and figure.high is not None
        assert figure.low < figure.value < figure.high
    assert gate.precision.origin == "labelled.jsonl"


def test_what_passes_tells_more_of_the_pool_than_the_labelled_rows() -> None:
    gate = assess_gate("book", "facts", "facts", LABELLED, Figure(0.6, 0.58, 0.62, "seen"))
    phi, psi = 52 / 63, 4 / 97
    wrong = (phi - 0.6) / (phi - psi)
    assert gate.wrong.value == pytest.approx(wrong)
    assert gate.kept == Figure(0.6, 0.58, 0.62, "seen")
    assert gate.precision.value == pytest.approx((1 - wrong) * phi / 0.6)
    low, high = gate.precision.ends
    assert low is not None and high is not None
    assert low < (gate.precision.value or 0) < high <= 1
    assert "at most" in gate.wrong.origin and "seen" in gate.wrong.origin


def test_planted_errors_tell_nothing_of_a_pool() -> None:
    planted = GateRates(107, 107, 1, 17, "pairs", drawn=False)
    gate = assess_gate("right", "equal", "math_equal", planted, Figure(0.2, origin="seen"))
    assert gate.phi.value == 1.0
    assert gate.tolerated.value == pytest.approx(1 / (1 + 1 / 17))
    assert gate.kept.value == 0.2
    assert (gate.wrong, gate.precision) == (UNKNOWN, UNKNOWN)


def test_a_check_that_nobody_measured() -> None:
    gate = assess_gate("book", "copy", "copy", None, Figure(0.5))
    assert not any((gate.phi.known, gate.precision.known, gate.tolerated.known))
    assert gate.to_json()["precision"]["value"] is None


@given(good=st.integers(1, 500), bad=st.integers(1, 500), kept=SHARES, passed=SHARES, more=SHARES)
def test_bands_hold_their_values(
    good: int, bad: int, kept: float, passed: float, more: float
) -> None:
    rates = GateRates(round(good * kept), good, round(bad * more), bad, "rows")
    for gate in (
        assess_gate("s", "c", "k", rates),
        assess_gate("s", "c", "k", rates, Figure(passed, passed * 0.9, passed, "seen")),
    ):
        for name in ("phi", "psi", "wrong", "precision", "kept", "tolerated"):
            figure = getattr(gate, name)
            if figure.value is not None:
                low, high = figure.ends
                assert 0 <= low <= figure.value <= high <= 1 + 1e-12, name
