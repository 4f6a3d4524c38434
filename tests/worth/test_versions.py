"""Quality as a factor on tokens, versions of one text, shares beside those on record."""

from __future__ import annotations

from itertools import product
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.compiler.worth.collapse import beside, floor
from mashbill.compiler.worth.figure import Figure, corners, rising
from mashbill.compiler.worth.quality import (
    novelties,
    versions,
    weight,
    worth_of_versions,
)
from mashbill.compiler.worth.stock import share

SHARES = st.floats(0.0, 1.0)


def test_quality_is_about_linear() -> None:
    assert weight(0.8) == 0.8
    assert weight(0.8, 0.7) == pytest.approx(0.8554, abs=1e-4)
    assert weight(1.0, 0.7) == 1.0


def test_versions_of_a_text() -> None:
    assert versions(1, 0.5) == 1.0
    assert versions(2, 1.0) == pytest.approx(1 + 1 - exp(-0.25))
    assert versions(5, 0.5) == pytest.approx(1 + 0.5 * (1 - exp(-1)))
    assert versions(1e9, 0.5) == pytest.approx(1.5)
    assert versions(40, 0.0) == 1.0


@given(count=st.integers(1, 40), novel=SHARES)
def test_with_all_versions_there_it_is_the_rule_itself(count: int, novel: float) -> None:
    assert worth_of_versions([(count, 1.0)], novel) == pytest.approx(versions(count, novel))
    assert worth_of_versions([(1, 1.0)] * count, novel) == pytest.approx(versions(count, novel))


@given(shares=st.lists(SHARES, min_size=1, max_size=5), novel=SHARES)
def test_the_mean_over_all_that_may_be_there(shares: list[float], novel: float) -> None:
    """The closed form equals the sum over every choice of versions."""
    mean = 0.0
    for there in product((0, 1), repeat=len(shares)):
        chance = 1.0
        for here, s in zip(there, shares, strict=True):
            chance *= s if here else 1 - s
        mean += chance * (versions(sum(there), novel) if sum(there) else 0.0)
    found = worth_of_versions([(1, s) for s in shares], novel)
    assert found == pytest.approx(mean, abs=1e-9)


@given(
    members=st.lists(st.tuples(st.floats(1, 8), st.floats(0.01, 1.0)), min_size=1, max_size=4),
    novel=SHARES,
)
def test_each_part_adds_something_and_no_more_than_itself(
    members: list[tuple[float, float]], novel: float
) -> None:
    found = novelties(members, novel)
    assert all(-1e-9 <= one <= 1.0 for one in found)
    added = sum(n * count * s for n, (count, s) in zip(found, members, strict=True))
    assert added == pytest.approx(worth_of_versions(members, novel), abs=1e-6)


def test_the_first_version_counts_in_full_and_copies_for_nothing() -> None:
    assert novelties([(1, 0.6)], 0.5) == pytest.approx((1.0,))
    first, second = novelties([(1, 1.0), (1, 1.0)], 0.5)
    assert first == pytest.approx(1.0)
    assert second == pytest.approx(0.5 * (1 - exp(-0.25)))
    assert novelties([(1, 1.0), (1, 1.0)], 0.0)[1] == pytest.approx(0.0)
    # Few of many texts: hardly any is met twice.
    assert novelties([(1, 0.001), (1, 0.001)], 0.5)[1] == pytest.approx(1.0, abs=0.002)
    assert novelties([(1, 1.0), (1, 0.0)], 0.5)[1] == 1.0


def test_the_floor_of_strong_collapse() -> None:
    assert (floor(0.0), floor(0.3), floor(1.0)) == (0.0, pytest.approx(0.09), 1.0)


@pytest.mark.parametrize(
    ("synthetic", "said"),
    [
        (0.0, "nothing here is written by a model"),
        (0.3, "no more than the least on record: Nemotron-CC 30%"),
        (0.31, "within what is on record"),
        (0.5, "within what is on record"),
        (0.51, "more than most on record"),
        (0.8, "more than most on record"),
        (0.81, "above all that is on record"),
        (1.0, "above all that is on record"),
    ],
)
def test_shares_on_record(synthetic: float, said: str) -> None:
    found = beside(synthetic)
    assert found.startswith(said)
    assert synthetic == 0 or ("WRAP 50%" in found and "FinePhrase 60–80%" in found)


def test_the_stock_of_human_text() -> None:
    found = share(Figure(3e12, 2e12, 4e12))
    assert found.value == pytest.approx(0.01)
    assert (found.low, found.high) == (pytest.approx(0.002), pytest.approx(0.04))
    assert share(Figure(None)).value is None


def test_bands() -> None:
    a, b = Figure(2.0, 1.0, 3.0), Figure(5.0)
    assert rising(lambda x, y: x * y, a, b, origin="o") == Figure(10.0, 5.0, 15.0, "o")
    assert corners(lambda x, y: y / x, a, b, origin="o") == Figure(2.5, 5 / 3, 5.0, "o")
    assert corners(lambda x: None if x < 2 else x, a, origin="o") == Figure(2.0, 2.0, 3.0, "o")
    assert rising(lambda x: x, Figure(None), origin="o").value is None
    assert corners(lambda x: None, a, origin="o").value is None
