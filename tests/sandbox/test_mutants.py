"""Mutants and stubs of programs, and tests that do not bite."""

from __future__ import annotations

import ast

import pytest

from mashbill.runtime.checks.unit_tests import unit_tests
from mashbill.runtime.sandbox.mutants import mutants_of, stub_of

from .here import needs_bubblewrap

CODE = '''
class Account:
    """Money."""

    def __init__(self, start=0):
        self.money = start

    def add(self, amount):
        if amount < 1 and not self.closed:
            return False
        self.money += amount
        return True


def total(accounts):
    found = 0
    for account in accounts:
        found = found + account.money
    return found
'''


def test_mutants_differ_and_are_always_the_same() -> None:
    first, again = mutants_of(CODE, 50), mutants_of(CODE, 50)
    assert first == again
    programs = [m.code for m in first]
    assert len(set(programs)) == len(programs)
    assert ast.unparse(ast.parse(CODE)) not in programs
    for mutant in first:
        ast.parse(mutant.code)


def test_a_few_mutants_are_of_as_many_kinds_as_can_be() -> None:
    every = {m.kind for m in mutants_of(CODE, 100)}
    assert every == {
        "comparison", "arithmetic", "logic", "constant", "condition", "dropped", "result"
    }  # fmt: skip
    assert len({m.kind for m in mutants_of(CODE, 7)}) == 7
    assert mutants_of(CODE, 3) == mutants_of(CODE, 100)[:3]


@pytest.mark.parametrize(
    ("code", "mutant"),
    [
        ("x = a < b", "x = a <= b"),
        ("x = a + b", "x = a - b"),
        ("x = a and b", "x = a or b"),
        ("x = 7", "x = 8"),
        ("x = True", "x = False"),
        ("if a: b()", "if not a:\n    b()"),
        ("while a: b()", "while not a:\n    b()"),
        ("def f(): return a", "def f():\n    return None"),
        ("def f():\n    a()\n    b()", "def f():\n    pass\n    b()"),
        ("x += 2", "x -= 2"),
    ],
)
def test_a_fault_of_each_kind(code: str, mutant: str) -> None:
    assert mutant in [m.code for m in mutants_of(code, 20)]


def test_a_stub_does_nothing_and_says_nothing() -> None:
    stub = stub_of(CODE)
    names: dict[str, object] = {}
    exec(stub, names)
    assert names["total"]([1, 2]) is None  # type: ignore[operator]
    assert "money" not in stub


@needs_bubblewrap
@pytest.mark.parametrize(
    ("tests", "reason"),
    [
        (["assert total([Account(2), Account(3)]) == 5", "assert Account().add(0) == True"], ""),
        ("a = Account()\nassert a.add(5)\nassert a.money == 5", "mutant_passes"),
        ("assert callable(total)", "stub_passes"),
        ("assert total([]) == 0 or True", "stub_passes"),
        ("assert total([]) == 0", "mutant_passes"),
    ],
)
def test_tests_must_bite(tests: object, reason: str) -> None:
    code = CODE.replace(" and not self.closed", " and amount < 0")
    judge = unit_tests(must_bite=True, mutants=8)  # type: ignore[arg-type]
    verdict = judge({"code": code, "tests": tests})
    assert (verdict.passed, verdict.reason) == (not reason, reason), verdict
    if reason == "mutant_passes":
        assert verdict.evidence["passed"] > verdict.evidence["tried"] / 2
        assert verdict.evidence["mutants"][0].startswith("line ")
