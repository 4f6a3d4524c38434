"""The checks where they run: in a worker process, on values of any type."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mashbill.runtime.checkpool import CheckPool, CheckSpec
from mashbill.runtime.checks.math_equal import math_equal
from mashbill.runtime.verdict import Verdict

ROWS: list[tuple[Any, Any, bool, str]] = [
    (72, "#### 72", True, "exact"),
    (r"\sin 2x", r"\boxed{2\sin x\cos x}", True, "sympy"),
    (r"\sin 2x", r"\boxed{2\sin x}", False, "sympy"),
    ("7", r"\boxed{9^{9^{9}}}", False, "none"),
    (r"10^{10^{10}}", r"\boxed{10^{10^{10}}}", True, "text"),
]


def test_a_worker_judges_by_every_route() -> None:
    async def judged() -> list[Verdict]:
        pool = CheckPool(workers=1, timeout=30.0)
        spec = CheckSpec("same", "math_equal", (("got", "text"), ("want", "gold")))
        try:
            rows = [{"gold": gold, "text": text} for gold, text, _, _ in ROWS]
            return [(await pool.judge((spec,), row))[0] for row in rows]
        finally:
            await pool.close()

    found = [(v.passed, v.evidence["route"]) for v in asyncio.run(judged())]
    assert found == [(passed, route) for _, _, passed, route in ROWS]


@pytest.mark.parametrize(
    ("gold", "text", "passed"),
    [(145.0, "145", True), (2.5, "5/2", True), (-3, "-3", True), (True, "Yes", True),
     (False, "yes", False), (10**20, "1" + "0" * 20, True), (0, "0", True), (0.1, "1/10", True)],
)  # fmt: skip
def test_numbers_are_answers(gold: object, text: object, passed: bool) -> None:
    assert math_equal()({"gold": gold, "text": text}).passed is passed


def test_evidence_names_what_was_compared() -> None:
    verdict = math_equal()({"gold": "so 48 + 24\n#### 72", "text": r"\boxed{70} \boxed{71}"})
    assert verdict.reason == "wrong"
    assert verdict.evidence == {
        "want": "72", "got": "71", "found": "boxed", "boxes": "2", "route": "exact",
    }  # fmt: skip
