"""Breakers trip at the same row, whatever is done first."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.compiler.expr import parse_expr
from mashbill.compiler.rates import never_or_always, value_of
from mashbill.runtime.budget import Breakers, Trip

ENDS = st.lists(st.sampled_from(["out", "rejected", "error", "routed"]), max_size=60)


def breakers(when: str, after: int = 10, step: str | None = None) -> Breakers:
    """One breaker over two steps."""
    budget = {"breakers": [{"after": after, "when": when, "step": step}]}
    return Breakers.of(budget, ["book", "math"])


def tripped(made: Breakers, ends: Sequence[str], order: Sequence[int]) -> Trip | None:
    """What comes of rows of `book` that are done in some order."""
    for index in order:
        made.observe("book", index, ends[index])
    return made.tripped


@given(ENDS, st.randoms(use_true_random=False))
def test_the_order_of_replies_never_decides(ends: list[str], dice: random.Random) -> None:
    order = list(range(len(ends)))
    first = tripped(breakers("rejected + errors > 0.5"), ends, order)
    dice.shuffle(order)
    assert tripped(breakers("rejected + errors > 0.5"), ends, order) == first


@given(ENDS)
def test_it_trips_at_the_first_prefix_that_is_long_and_bad_enough(ends: list[str]) -> None:
    found = tripped(breakers("errors >= 0.4"), ends, range(len(ends)))
    lengths = [n for n in range(10, len(ends) + 1) if ends[:n].count("error") >= 0.4 * n]
    assert (found.rows if found else None) == (lengths[0] if lengths else None)


def test_a_row_that_is_not_done_holds_back_those_behind_it() -> None:
    made = breakers("errors > 0.5", after=3)
    for index in (1, 2, 3, 4):
        assert made.observe("book", index, "error") is None
    trip = made.observe("book", 0, "out")
    assert trip is not None and trip.rows == 3
    assert trip.sentence == (
        "Stopped by a breaker: of the first 3 rows of `book` errors 66.7% "
        "(budget.breakers: errors > 0.5)"
    )
    assert made.observe("book", 5, "error") is None, "one is enough"


def test_rates_are_of_one_step_and_truncated_rows_are_rejected_too() -> None:
    made = breakers("truncated >= 0.5 and rejected == 1.0", after=2)
    assert made.observe("math", 0, "rejected", "truncated") is None
    assert made.observe("book", 0, "rejected", "facts") is None
    trip = made.observe("math", 1, "rejected", "facts")
    assert trip is not None and trip.step == "math"


def test_a_breaker_of_one_step_watches_no_other() -> None:
    made = breakers("errors > 0.1", after=1, step="verified")
    assert made.observe("book", 0, "error") is None
    assert made.observe("verified", 0, "error") is not None


def test_what_a_recipe_without_breakers_has_and_how_to_have_none() -> None:
    usual = Breakers.of(None, ["book"])
    for index in range(499):
        assert usual.observe("book", index, "error") is None
    assert usual.observe("book", 499, "error") is not None
    assert Breakers.of({"breakers": None, "usd": 1.0}, ["book"]).steps
    none = Breakers.of({"breakers": []}, ["book"])
    for index in range(1000):
        assert none.observe("book", index, "error") is None


def test_a_row_is_done_once() -> None:
    made = breakers("errors > 0.5", after=100)
    made.observe("book", 0, "out")
    with pytest.raises(ValueError, match="done already"):
        made.observe("book", 0, "out")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("rejected > 0.5", True),
        ("rejected + errors <= 0.7", False),
        ("0.1 < errors < 0.3", True),
        ("not (errors > 0.1) or accepted < 0.5", True),
        ("rejected / truncated > 1", None),
        ("rejected / truncated > 1 or errors > 0.1", True),
        ("rejected / truncated > 1 and errors > 0.5", False),
        ("(rejected / truncated) is null", True),
        ("-errors > -0.3 if accepted > 0 else false", True),
        ("rejected // 0.25 == 2 and rejected % 0.25 > 0 and rejected - 0.1 * 2 > 0.3", True),
    ],
)
def test_values_are_those_of_the_language(text: str, value: bool | None) -> None:
    expr, problems = parse_expr(text)
    assert expr is not None and not problems
    rates = {"rejected": 0.6, "errors": 0.2, "accepted": 0.2, "truncated": 0.0}
    assert value_of(expr, rates) is value


@pytest.mark.parametrize(
    ("text", "constant"),
    [
        ("rejected > 0.5", None),
        ("rejected > 1", False),
        ("rejected >= 0", True),
        ("errors > 0.999", None),
        ("rejected == 0.37", None),
        ("0.2 < errors < 0.3", None),
        ("rejected + errors > 1.5", False),
        ("rejected > 0.6 and accepted > 0.6", False),
        ("truncated > 0.5 and rejected < 0.5", False),
        ("errors < 0.5 or errors >= 0.5", True),
    ],
)
def test_breakers_that_never_or_always_trip(text: str, constant: bool | None) -> None:
    expr, _ = parse_expr(text)
    assert expr is not None
    assert never_or_always(expr) is constant
