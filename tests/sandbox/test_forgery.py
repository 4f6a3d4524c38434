"""Programs that would pass their tests without the right answer: each is a file in `forgery/`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mashbill.runtime.sandbox.box import Box
from mashbill.runtime.sandbox.limits import Limits
from mashbill.runtime.sandbox.program import Program

from .here import needs_bubblewrap

pytestmark = needs_bubblewrap

FOLDER = Path(__file__).parent / "forgery"
SUITES = {
    "asserts": ("assert answer(1) == 424242", "assert answer(2) == [424242]"),
    "loop": ("for n in (1, 2):\n    assert answer(n) == 424242 * n",),
    "functions": ("def test_answer():\n    x = answer(1)\n    assert x == 424242",),
    "unittest": (
        "import unittest\nclass T(unittest.TestCase):\n"
        "    def test_answer(self):\n        self.assertEqual(answer(1), 424242)",
    ),
}


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    made = Box("bubblewrap")
    made.start()
    yield made
    made.close()


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("name", sorted(p.stem for p in FOLDER.glob("*.py")))
def test_no_pass_without_the_answer(box: Box, name: str, suite: str) -> None:
    code = (FOLDER / f"{name}.py").read_text("utf-8")
    outcome = box.run(Program("tests", code, SUITES[suite]), Limits(seconds=1.0))
    assert not outcome.passed
    assert outcome.reason in ("wrong", "error", "timeout"), outcome
