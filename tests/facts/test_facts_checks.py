from __future__ import annotations

from typing import Any, cast

import pytest

from mashbill.compiler.registry import Count, Ratio
from mashbill.runtime.checks.copy import copy
from mashbill.runtime.checks.facts import facts
from mashbill.runtime.checks.length import length
from mashbill.runtime.checks.regex import regex
from mashbill.runtime.verdict import Check, Verdict


def _judge(check: Check, text: object, source: object = "") -> Verdict:
    return check({"text": text, "input.text": source})


def test_length_gives_the_ratio() -> None:
    verdict = _judge(length(min=Ratio(0.5), max=Ratio(1.5)), "one two three", "one two")
    assert verdict.passed
    assert verdict.evidence["ratio"] == 1.5
    assert _judge(length(), "a", None).reason == "too_long"
    assert _judge(length(), None, "a").reason == "too_short"


def test_copy_gives_share_and_longest_span() -> None:
    source = "a b c d e f g h"
    verdict = _judge(copy(max=0.5, ngram=Count(2)), "x A b, c d y e f", source)  # type: ignore[arg-type]
    assert verdict.reason == "copied"
    assert verdict.evidence == {"share": round(4 / 7, 3), "words": 4, "longest": "A b c d"}
    # Fewer words than a run are one run: a short copy is a copy.
    assert _judge(copy(ngram=Count(9)), source, source).reason == "copied"
    assert _judge(copy(ngram=Count(9)), "h g f e", source).passed
    with pytest.raises(ValueError, match="at least 1"):
        copy(ngram=Count(0))


def test_regex_needs_a_pattern_that_can_be_read() -> None:
    with pytest.raises(ValueError, match="needs `forbid:` or `require:`"):
        regex()
    with pytest.raises(ValueError, match="no pattern"):
        regex(forbid="(?=look)")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no pattern"):
        regex(require="(")  # type: ignore[arg-type]


def test_regex_shows_what_it_found_and_is_linear() -> None:
    forbid = regex(forbid="(a+)+$|x{2,}")  # type: ignore[arg-type]
    assert _judge(forbid, "a" * 50_000 + "b").passed
    verdict = _judge(forbid, "yes xxx")
    assert verdict.reason == "forbidden"
    assert verdict.evidence == {"found": "xxx"}
    assert _judge(regex(require="é"), None).reason == "required"  # type: ignore[arg-type]


def test_regex_finds_an_empty_match() -> None:
    assert _judge(regex(require="x*"), "abc").passed  # type: ignore[arg-type]


def _facts(**params: Any) -> Check:
    return cast(Check, facts(**params))


def test_facts_reads_the_columns_that_it_is_told() -> None:
    check = _facts(got="answer", source="page")
    assert check({"answer": "It was 1903.", "page": "It was 1903."}).passed
    assert check({"answer": "It was 1904.", "page": "It was 1903."}).reason == "number_invented"
    assert check({"answer": None, "page": None}).reason == "empty"


def test_facts_limits_override_the_style() -> None:
    row = {"text": "The mill grinds corn well.", "input.text": "The mill grinds corn."}
    strict = _facts(novelty=0.0)
    assert strict({**row, "text": "The old mill grinds corn."}).reason == "novelty"
    assert _facts(novelty=0.5)({**row, "text": "The old mill grinds corn."}).passed
    assert _facts(coverage=1.0)({**row, "text": "The mill grinds."}).reason == "coverage"
