"""Tests taken apart: what the judge keeps, what the program's process is told."""

from __future__ import annotations

import ast
import textwrap

import pytest

from mashbill.runtime.sandbox.inside.asserts import assertions, taken_apart
from mashbill.runtime.sandbox.pool import leans_on_pytest


def apart(*sources: str) -> tuple[list[tuple[bool, bool, object]], str]:
    suite = taken_apart([textwrap.dedent(s) for s in sources], "_x")
    sent = "\n".join(ast.unparse(unit) for _, unit in suite.units)
    return [(a.held, a.must, a.expected) for a in suite.asked], sent


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("assert f(2) == 4", 4),
        ("assert 4 == f(2)", 4),
        ("assert f() == [1, (2, 'a'), {'b': {3}}]", [1, (2, "a"), {"b": {3}}]),
        ("assert f() == set()", set()),
        ("assert f() == float('inf')", float("inf")),
        ("assert f() == -1.5", -1.5),
        ("assert (f()) == None", None),
    ],
)
def test_what_is_expected_is_not_sent(source: str, expected: object) -> None:
    asked, sent = apart(source)
    assert asked == [(True, True, expected)]
    assert sent.startswith("_x(0, f(")
    assert "==" not in sent and "4" not in sent.replace("_x(0", "")


@pytest.mark.parametrize(
    "source",
    [
        "assert f(2) == g(2)",
        "assert f(2) > 4",
        "assert f(2)",
        "assert 1 == 1",
        "assert a == b == c",
    ],
)
def test_other_asserts_are_made_where_the_program_runs(source: str) -> None:
    asked, sent = apart(source)
    assert asked == [(False, True, None)]
    assert sent.startswith("_x(0, ")


def test_an_assert_that_a_run_may_pass_by_need_not_be_seen() -> None:
    asked, _ = apart(
        """
        if ready:
            assert f(1) == 1
        for n in []:
            assert f(n) == 2
        def helper():
            assert f(3) == 3
        assert f(4) == 4
        """
    )
    assert [(must, expected) for _, must, expected in asked] == [
        (False, 1),
        (False, 2),
        (False, 3),
        (True, 4),
    ]


def test_an_assert_whose_failure_is_wanted_stays_where_it_is() -> None:
    asked, _ = apart("try:\n    assert f() == 1\nexcept AssertionError:\n    pass")
    assert asked == [(False, False, None)]


def test_test_functions_and_classes_are_called() -> None:
    asked, sent = apart(
        """
        def test_one():
            x = f(1)
            assert x == 1
            for y in x:
                assert y
            assert x == 2
        class TestTwo:
            def test_two(self):
                assert f(2) == 2
        import unittest
        class Three(unittest.TestCase):
            def test_three(self):
                self.assertEqual(f(3), 3)
        """
    )
    assert "\ntest_one()" in sent and "TestTwo().test_two()" in sent and "loadTests" in sent
    assert [must for _, must, _ in asked] == [True, False, False, False, False]
    assert asked[-1] == (True, False, 3), "assertEqual is an assert"


def test_messages_are_kept_for_failures() -> None:
    _, sent = apart("assert f() > 1, 'too small'")
    assert "lambda: 'too small'" in sent


def test_assertions_are_counted() -> None:
    source = "assert a\nself.assertIn(1, b)\nwith pytest.raises(E): f()\nprint(1)"
    assert assertions(ast.parse(source)) == 3


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("import pytest", True),
        ("from pytest import mark", True),
        ("def test_a(tmp_path): pass", True),
        ("def test_a(): pass", False),
        ("class TestA:\n    def test_a(self): pass", False),
        ("assert f(1) == 'pytest'", False),
    ],
)
def test_pytest_is_taken_where_it_is_wanted(source: str, wanted: bool) -> None:
    assert leans_on_pytest([source]) is wanted
