"""The check that is an expression."""

from __future__ import annotations

from typing import Any

import pytest

from mashbill.compiler.registry import operator_of
from mashbill.runtime.checks import expr as module
from mashbill.runtime.verdict import Verdict

OPERATOR = operator_of(module.expr)
assert OPERATOR is not None


def judge(text: str, row: dict[str, Any]) -> Verdict:
    assert OPERATOR is not None
    return OPERATOR.build(pass_=text)(row)  # type: ignore[no-any-return]


def test_its_parameter_is_called_pass() -> None:
    assert OPERATOR is not None
    assert [p.name for p in OPERATOR.params] == ["pass"]
    assert OPERATOR.name == "expr"


@pytest.mark.parametrize("case", OPERATOR.cases)
def test_cases(case: Any) -> None:
    verdict = judge(case.params["pass"], case.row)
    assert (verdict.passed or verdict.reason) == case.expect


def test_evidence_is_the_columns_read_and_short() -> None:
    row = {"text": "x" * 500, "n": 3, "tags": ["a"], "other": 1, "meta": {"lang": "en"}}
    verdict = judge("n > 5 and len(text) > 2 and 'a' in tags and meta.lang == 'en'", row)
    assert verdict.reason == "expr"
    assert set(verdict.evidence) == {"text", "n", "tags", "meta"}
    assert verdict.evidence["n"] == 3
    assert len(verdict.evidence["text"]) == 80
    assert judge("n > 2", row) == Verdict(True)


def test_one_built_check_judges_rows_of_changing_types() -> None:
    assert OPERATOR is not None
    built = OPERATOR.build(pass_="score is null or score > 3")
    rows = [{"score": 4}, {"score": None}, {"score": 3.5}, {"score": 2}, {"score": "4"}]
    assert [built(row).passed for row in rows] == [True, True, True, False, False]
    assert "problem" in built({"score": "4"}).evidence


def test_rows_without_columns_of_the_expression() -> None:
    assert judge("1 < 2", {}).passed
    assert not judge("1 > 2", {"text": "a"}).passed


def test_text_that_is_no_expression_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="not an expression"):
        judge("a ==", {})
