"""What the parameters change, and nothing else."""

from __future__ import annotations

import pytest

from mashbill.runtime.maths.comparing import EXACT, Rules
from mashbill.runtime.maths.equality import equal

REQUIRE = Rules(units="require")


@pytest.mark.parametrize(
    ("gold", "got", "rules", "expect"),
    [
        ("5 m", "5", REQUIRE, False),
        ("5", "5 m", REQUIRE, False),
        ("5 m", "500 cm", REQUIRE, True),
        ("5 apples", "5 apples", REQUIRE, True),
        ("5 apples", "5 pears", REQUIRE, False),
        ("5 apples", "5 pears", EXACT, True),
        ("25%", "25", REQUIRE, False),
        ("25%", "25 percent", REQUIRE, True),
        ("$5", "5 dollars", REQUIRE, True),
        ("$5", "5", REQUIRE, False),
        (r"90^\circ", "90", REQUIRE, False),
        ("3.14159", "3.1416", Rules(tolerance=1e-4), True),
        ("3.14159", "3.15", Rules(tolerance=1e-4), False),
        (r"\sqrt{2}", "1.41421", Rules(tolerance=1e-4), True),
        (r"\sqrt{2}", "1.41421", EXACT, False),
        ("0", "0.0001", Rules(tolerance=0.1), False),
        ("(1, 3)", "(1, 3.001)", Rules(tolerance=0.01), True),
        ("(1, 3)", "(3.001, 1)", Rules(tolerance=0.01), False),
        ("2/3", "0.67", Rules(round=True), True),
        ("2/3", "0.667", Rules(round=True), True),
        ("2/3", "0.66", Rules(round=True), False),
        ("2/3", "1", Rules(round=True), False),
        (r"\pi", "3.14", Rules(round=True), True),
        (r"\pi", "3.15", Rules(round=True), False),
        ("0.67", "2/3", Rules(round=True), False),
        ("1, 2, 3", "3, 2, 1", Rules(order=True), False),
        ("1, 2, 3", "1, 2, 3", Rules(order=True), True),
        (r"\{1, 2, 3\}", r"\{3, 2, 1\}", Rules(order=True), True),
    ],
)
def test_rule(gold: str, got: str, rules: Rules, expect: bool) -> None:
    assert equal(gold, got, rules).equal is expect


def test_a_year_that_is_not_asked_for_may_be_given() -> None:
    assert equal("July 4", "July 4, 1776").equal
    assert not equal("July 4, 1776", "July 4").equal
