"""A change of a product is split among its factors exactly, and the same both ways."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.runtime.afterwards.divisia import log_mean, split

factor = st.floats(1e-6, 1e6)
two = st.integers(1, 6).flatmap(
    lambda n: st.tuples(
        st.lists(factor, min_size=n, max_size=n), st.lists(factor, min_size=n, max_size=n)
    )
)


def named(values: list[float]) -> dict[str, float]:
    return {f"x{i}": v for i, v in enumerate(values)}


@given(two)
def test_shares_add_up_and_are_symmetric(values: tuple[list[float], list[float]]) -> None:
    before, after = map(named, values)
    then, now = math.prod(before.values()), math.prod(after.values())
    there, back = split(before, after), split(after, before)
    assert sum(there.values()) == pytest.approx(now - then, abs=1e-9 * max(now, then))
    for name in before:
        assert there[name] == pytest.approx(-back[name], abs=1e-9 * max(now, then))
        change = math.log(after[name] / before[name])
        assert there[name] * change >= 0, "a factor that grew adds"


def test_a_textbook_case() -> None:
    # L(150, 100) = 50 / ln 1.5 = 123.3; rows +20 %, tokens +25 %
    shares = split({"rows": 10, "tokens": 10}, {"rows": 12, "tokens": 12.5})
    assert shares["rows"] == pytest.approx(22.48, abs=0.01)
    assert shares["tokens"] == pytest.approx(27.52, abs=0.01)


def test_log_mean_lies_between_the_geometric_and_the_arithmetic() -> None:
    assert 20 < log_mean(10, 40) < 25
    assert log_mean(7, 7) == 7
    assert log_mean(1.0, 1.0 + 1e-13) == pytest.approx(1.0)


def test_what_came_from_nothing_is_owed_to_what_was_nothing() -> None:
    before, after = (
        {"rows": 10.0, "calls": 0.0, "tokens": 5.0},
        {"rows": 8, "calls": 2, "tokens": 9},
    )
    assert split(before, after) == {"rows": 0, "calls": 144, "tokens": 0}
    assert split(after, before) == {"rows": 0, "calls": -144, "tokens": 0}
    # of several, to the first, as the limit of a product whose other factors stay
    none = {"rows": 0.0, "calls": 0.0, "tokens": 5.0}
    assert split(none, after) == {"rows": 144, "calls": 0, "tokens": 0}
    assert split(none, none) == {"rows": 0, "calls": 0, "tokens": 0}


def test_the_limit_is_the_limit() -> None:
    after = {"rows": 8.0, "calls": 2.0}
    near = split({"rows": 10.0, "calls": 1e-280}, after)
    assert near["calls"] == pytest.approx(16, rel=2e-3)
