"""The checks `unit_tests` and `compiles`: what they say of programs, and the evidence."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from mashbill.runtime.checks.compiles import compiles
from mashbill.runtime.checks.unit_tests import unit_tests
from mashbill.runtime.sandbox.pool import pytest_folder

from .here import needs_bubblewrap

pytestmark = needs_bubblewrap
SQUARE = "def square(n):\n    return n * n\n"


def judged(code: str, tests: Any, **params: Any) -> tuple[str, dict[str, Any]]:
    verdict = unit_tests(**params)({"code": code, "tests": tests, "setup": params.get("setup")})
    assert verdict.passed == (not verdict.reason)
    return verdict.reason, dict(verdict.evidence)


@pytest.mark.parametrize(
    ("tests", "evidence"),
    [
        (
            ["assert square(2) == 4", "assert square(3) == 8"],
            {"assert": "assert square(3) == 8", "got": "9", "expected": "== 8", "line": 1},
        ),
        (
            "x = 5\nassert square(x) < x, f'not for {x}'",
            {
                "assert": "assert square(x) < x, f'not for {x}'",
                "got": "25",
                "expected": "< 5",
                "message": "not for 5",
                "line": 2,
            },
        ),
        ("assert not square(1)", {"assert": "assert not square(1)", "got": "False", "line": 1}),
    ],
)
def test_a_wrong_answer_is_shown(tests: Any, evidence: dict[str, Any]) -> None:
    assert judged(SQUARE, tests) == ("wrong", evidence)


def test_an_error_says_where_and_what_was_printed() -> None:
    reason, evidence = judged("def f(n):\n    print('in f')\n    return 1 / n", "assert f(0) == 1")
    assert reason == "error"
    assert evidence["error"] == "ZeroDivisionError: division by zero"
    assert (evidence["in"], evidence["line"], evidence["output"]) == ("solution.py", 3, "in f")


@pytest.mark.parametrize(
    ("code", "tests", "reason"),
    [
        ("def f(:", "assert f(1) == 1", "syntax"),
        (SQUARE, "assert square(1 == 1", "syntax"),
        ("x" * 10 + "\ud800", "assert 1 == 1", "syntax"),
        (SQUARE, "", "no_tests"),
        (SQUARE, None, "no_tests"),
        (SQUARE, [], "no_tests"),
        (SQUARE, ["", None], "no_tests"),
        (SQUARE, "print(square(1))", "no_tests"),
        (SQUARE, "def helper():\n    assert square(1) == 2", "no_tests"),
        ("", "assert square(1) == 1", "error"),
        (None, "assert square(1) == 1", "error"),
        ("assert False", "assert 1 == 1", "error"),
        ("import sys\nsys.exit(0)", "assert 1 == 1", "error"),
        ("while True: pass", "assert 1 == 1", "timeout"),
        ("x = bytearray(10**10)", "assert 1 == 1", "memory"),
        ("print('x' * 10**7)", "assert 1 == 1", "output"),
    ],
)
def test_reasons(code: Any, tests: Any, reason: str) -> None:
    assert judged(code, tests, timeout=2.0)[0] == reason


@pytest.mark.parametrize(
    "tests",
    [
        "from solution import square\nassert square(2) == 4",
        "import solution\nassert solution.square(2) == 4",
        "from solution import *\ndef test_it():\n    assert square(2) == 4",
        "def check(candidate):\n    assert candidate(2) == 4\ncheck(square)",
        "import unittest\nclass T(unittest.TestCase):\n    def test_a(self):\n"
        "        self.assertEqual(square(2), 4)\n        self.assertTrue(square(1))",
        "class TestSquare:\n    def test_a(self):\n        assert square(2) == 4",
        "assert all(square(n) == n ** 2 for n in range(5))",
        "assert square(0.1) - 0.01 < 1e-9",
        "import random\nassert random.random() == 0.8444218515250481  # the same each time",
        "assert list({'b', 'a', 'c'}) == list({'b', 'a', 'c'})",
        "try:\n    square('a')\nexcept TypeError:\n    pass\nassert square(1)",
    ],
)
def test_tests_of_all_kinds_pass(tests: str) -> None:
    assert judged(SQUARE, tests)[0] == ""


def test_setup_runs_between_program_and_tests() -> None:
    check = unit_tests(setup="before")  # type: ignore[arg-type]
    row = {"code": SQUARE, "tests": "assert square(N) == 9", "before": "N = 3"}
    assert check(row).passed


def test_coverage_says_which_lines_were_missed() -> None:
    code = "def sign(n):\n    if n < 0:\n        return -1\n    return 1\n"
    assert judged(code, "assert sign(2) == 1", coverage=0.9) == (
        "coverage",
        {"covered": 0.75, "missed": [3]},
    )
    both = "assert sign(2) == 1\nassert sign(-2) == -1"
    assert judged(code, both, coverage=1.0)[0] == ""


@pytest.mark.skipif(pytest_folder() is None, reason="pytest is not installed")
def test_pytest_runs_where_tests_lean_on_it() -> None:
    tests = (
        "import pytest\n"
        "@pytest.fixture\ndef three():\n    return 3\n"
        "def test_fixture(three):\n    assert square(three) == 9\n"
        "@pytest.mark.parametrize('n', [1, 2])\ndef test_each(n):\n    assert square(n) == n + {}\n"
        "def test_raises():\n    with pytest.raises(TypeError):\n        square('a')\n"
    )
    assert judged(SQUARE, tests.format("n * (n - 1)"), coverage=1.0, min_asserts=3)[0] == ""
    reason, evidence = judged(SQUARE, tests.format("0"))
    assert (reason, evidence["test"]) == ("wrong", "test_each[2]")
    assert "assert 4 ==" in evidence["error"]
    assert judged(SQUARE, "import pytest\ndef test_none(): pass")[0] == "no_tests"
    assert judged("import os\nos._exit(0)", tests.format("0"))[0] == "error"


LANGUAGES = [
    (
        "gcc",
        {"file": "a.c", "compile": ["gcc", "-o", "a", "{file}"], "run": ["./a"]},
        "#include <assert.h>\nint f(int n) { return n * n; }",
        "int main() { assert(f(3) == %s); return 0; }",
    ),
    (
        "node",
        {"file": "a.js", "run": ["node", "{file}"]},
        "function f(n) { return n * n }",
        "require('assert').equal(f(3), %s)",
    ),
    (
        "perl",
        {"file": "a.pl", "test_file": "t.pl", "run": ["perl", "{test_file}"]},
        "sub f { return $_[0] ** 2 } 1;",
        "require './a.pl'; die unless f(3) == %s;",
    ),
]


@pytest.mark.parametrize(("tool", "params", "code", "tests"), LANGUAGES, ids=lambda v: str(v)[:4])
def test_any_compiler_will_do(tool: str, params: dict[str, Any], code: str, tests: str) -> None:
    if shutil.which(tool) is None or not str(shutil.which(tool)).startswith("/usr"):
        pytest.skip(f"{tool} is not installed")
    assert judged(code, tests % 9, **params, must_bite=True)[0] == ""
    assert judged(code, tests % 8, **params)[0] == "error"
    assert judged(code + " (", tests % 9, **params)[0] in ("compile", "error")


def test_a_tool_that_is_absent_is_no_fault_of_the_program() -> None:
    with pytest.raises(RuntimeError, match="no-such-compiler"):
        judged("x", "y", run=["no-such-compiler", "{file}"])


@pytest.mark.parametrize(("code", "reason"), [("if true; then echo 1; fi", ""), ("if", "syntax")])
def test_compiles_by_a_command(code: str, reason: str) -> None:
    verdict = compiles(file="a.sh", run=["bash", "-n", "{file}"])({"code": code})
    assert verdict.reason == reason
    assert reason == "" or "syntax error" in verdict.evidence["output"]


def test_what_compiles_does_not_run() -> None:
    assert compiles(timeout=5.0)({"code": "while True: print('x' * 10**6)"}).passed  # type: ignore[arg-type]
