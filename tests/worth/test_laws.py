"""The formulas, held to published values and to what must be true of them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.compiler.worth import repetition
from mashbill.compiler.worth.chinchilla import EPOCH, LAWS, PRINTED, Law
from mashbill.compiler.worth.repetition import (
    DECAY_TOKENS,
    effective_size,
    effective_tokens,
    multiple,
    tokens_for,
)

SIZES = st.floats(1e7, 1e11)
TOKENS = st.floats(1e6, 1e13)


@pytest.mark.parametrize(
    ("size", "tokens", "epoch", "printed"),
    [
        (1.7e9, 21e9, 2.4636, 2.5143),
        (7e9, 140e9, 2.1733, 2.1835),
        (8e9, 1e12, 2.0755, 2.0438),
    ],
)
def test_losses_of_both_sets(size: float, tokens: float, epoch: float, printed: float) -> None:
    assert EPOCH.loss(size, tokens) == pytest.approx(epoch, abs=5e-5)
    assert PRINTED.loss(size, tokens) == pytest.approx(printed, abs=5e-5)


def test_the_constants() -> None:
    assert (EPOCH.floor, EPOCH.a, EPOCH.alpha, EPOCH.b, EPOCH.beta) == (
        1.8172, 482.01, 0.3478, 2085.43, 0.3658,
    )  # fmt: skip
    assert (PRINTED.floor, PRINTED.a, PRINTED.alpha, PRINTED.b, PRINTED.beta) == (
        1.69, 406.4, 0.34, 410.7, 0.28,
    )  # fmt: skip
    assert LAWS[0] is EPOCH


@pytest.mark.parametrize("law", LAWS)
@given(size=SIZES, tokens=TOKENS)
def test_the_inverse_finds_the_tokens(law: Law, size: float, tokens: float) -> None:
    found = law.tokens_for(size, law.loss(size, tokens))
    assert found == pytest.approx(tokens, rel=1e-4)


@pytest.mark.parametrize("law", LAWS)
def test_no_tokens_are_enough_below_the_floor(law: Law) -> None:
    assert law.tokens_for(1e9, law.loss(1e9, 1e300) - 1e-9) is None
    assert law.tokens_for(1e9, 1.0) is None


@pytest.mark.parametrize("law", LAWS)
@given(size=st.floats(1e8, 1e11), factor=st.floats(0.2, 5))
def test_no_other_run_of_the_same_compute_is_better(law: Law, size: float, factor: float) -> None:
    tokens = law.tokens_of(size)
    assert law.loss(size, tokens) <= law.loss(size * factor, tokens / factor) + 1e-12
    assert law.size_of(tokens) == pytest.approx(size)


@pytest.mark.parametrize("law", LAWS)
@given(flops=st.floats(1e18, 1e27))
def test_optimal_runs_as_published(law: Law, flops: float) -> None:
    """N* = G (C / 6)^(β / (α + β)), D* = (C / 6) / N*."""
    ratio = (law.alpha * law.a / (law.beta * law.b)) ** (1 / (law.alpha + law.beta))
    size = ratio * (flops / 6) ** (law.beta / (law.alpha + law.beta))
    assert law.tokens_of(size) == pytest.approx(flops / 6 / size)


@pytest.mark.parametrize("law", LAWS)
@given(size=SIZES, tokens=TOKENS, more=st.floats(1.01, 100))
def test_more_is_better(law: Law, size: float, tokens: float, more: float) -> None:
    assert law.loss(size, tokens * more) < law.loss(size, tokens)
    assert law.loss(size * more, tokens) < law.loss(size, tokens)
    assert law.loss(1e300, 1e300) == pytest.approx(law.floor)


@pytest.mark.parametrize(
    ("epochs", "worth", "by_token"),
    [
        (1, 1.000, 1.00),
        (2, 1.968, 0.98),
        (4, 3.726, 0.93),
        (8, 6.624, 0.83),
        (16, 10.58, 0.66),
        (40, 15.17, 0.38),
    ],
)
def test_epochs(epochs: float, worth: float, by_token: float) -> None:
    assert multiple(epochs) == pytest.approx(worth, abs=5e-3)
    assert multiple(epochs) / epochs == pytest.approx(by_token, abs=6e-3)


def test_less_than_an_epoch_is_new_text() -> None:
    assert multiple(0.25) == 0.25
    assert effective_tokens(100.0, 25.0) == 25.0
    assert effective_tokens(0.0, 0.0) == 0.0


@given(unique=st.floats(1e3, 1e13), epochs=st.floats(1, 200), more=st.floats(1, 10))
def test_more_epochs_never_take_away(unique: float, epochs: float, more: float) -> None:
    few = effective_tokens(unique, unique * epochs)
    many = effective_tokens(unique, unique * epochs * more)
    assert few <= many * (1 + 1e-12)
    assert unique * (1 - 1e-12) <= few <= unique * epochs * (1 + 1e-12)
    assert many <= unique * (1 + DECAY_TOKENS)


@given(unique=st.floats(1e3, 1e12), tokens=st.floats(1e3, 1e13), more=st.floats(1, 10))
def test_more_unique_tokens_never_take_away(unique: float, tokens: float, more: float) -> None:
    assert effective_tokens(unique, tokens) <= effective_tokens(unique * more, tokens) * (1 + 1e-9)


def test_their_constants_and_golden_losses() -> None:
    assert pytest.approx(520.82, abs=0.01) == repetition.A
    assert pytest.approx(1487.7, abs=0.05) == repetition.B
    assert pytest.approx(1.8691, abs=5e-5) == repetition.FLOOR
    ratio = math.sqrt(repetition.useful_size(1e30, 1.0))
    assert ratio == pytest.approx(0.22580, abs=5e-6)
    assert repetition.loss(6.34e9, 242e9, 25e9) == pytest.approx(2.22564, abs=5e-6)
    assert repetition.loss(8.67e9, 178e9, 25e9) == pytest.approx(2.22696, abs=5e-6)


@given(size=SIZES, unique=st.floats(1e6, 1e12), more=st.floats(1, 10))
def test_parameters_in_excess_add_less(size: float, unique: float, more: float) -> None:
    few, many = effective_size(size, unique), effective_size(size * more, unique)
    assert few <= size * (1 + 1e-9)
    assert few <= many * (1 + 1e-12)
    assert many - few <= size * (more - 1) * (1 + 1e-9) + 1e-3


@given(size=st.floats(1e8, 1e10), tokens=st.floats(1e8, 1e12))
def test_the_inverse_of_the_law_of_repeated_data(size: float, tokens: float) -> None:
    wanted = repetition.loss(size, tokens, tokens)
    assert tokens_for(size, wanted) == pytest.approx(tokens, rel=1e-5)


def test_no_new_tokens_come_below_the_floor() -> None:
    assert tokens_for(1e9, 1.0) is None
