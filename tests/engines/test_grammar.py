"""JSON Schemas as grammars, and numbers between bounds as digits."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.runtime.llama.grammar import compile_grammar
from mashbill.runtime.llama.ranges import decimal_between, integer_between
from mashbill.runtime.requests import EngineError


def as_pattern(expression: str) -> re.Pattern[str]:
    """An expression of digits as a regular expression: literals unquoted, blanks dropped."""
    parts = re.findall(r'"[^"]*"|[^" ]+', expression)
    return re.compile("".join(re.escape(p[1:-1]) if p[0] == '"' else p for p in parts))


def written(value: int, places: int) -> str:
    whole, part = divmod(abs(value), 10**places)
    return ("-" if value < 0 else "") + (f"{whole}.{part:0{places}}" if places else str(whole))


@given(
    low=st.integers(-12_000, 12_000),
    size=st.integers(0, 12_000),
    off=st.integers(-30_000, 30_000),
    places=st.sampled_from([0, 1, 2, 3]),
)
def test_a_range_is_exact(low: int, size: int, off: int, places: int) -> None:
    pattern = as_pattern(decimal_between(low, low + size, places=places) or "")
    for value in (low - 1, low, low + size, low + size + 1, low + off, -low):
        inside = low <= value <= low + size
        assert bool(pattern.fullmatch(written(value, places))) == inside, (pattern, value)


@pytest.mark.parametrize("text", ["007", "-0", "1.5", "", "+3", "--1", "1" * 19])
def test_what_is_no_whole_number(text: str) -> None:
    assert not as_pattern(integer_between(None, None) or "").fullmatch(text)
    assert not as_pattern(integer_between(-5, None) or "").fullmatch(text)


def test_a_bound_may_be_missing() -> None:
    up = as_pattern(integer_between(95, None) or "")
    assert [bool(up.fullmatch(t)) for t in ("94", "95", "100", "9" * 18)] == [
        *(False, True, True, True)
    ]
    assert integer_between(2, 1) is None
    assert integer_between(10**30, None) is None


def grammar(**schema: Any) -> str:
    return compile_grammar(json.dumps(schema))


def test_literals_are_quoted_for_the_grammar() -> None:
    made = grammar(enum=['a"b', "c\\d", "e\nf", "ü"])
    assert made == (
        'root ::= ("\\"a\\\\\\"b\\"" | "\\"c\\\\\\\\d\\"" | "\\"e\\\\nf\\"" | "\\"ü\\"")\n'
    )


def test_no_rule_is_missing_and_none_is_idle() -> None:
    made = grammar(
        type="object",
        properties={
            "a": {"type": "string"},
            "b": {"type": "array", "items": {"type": "number"}},
            "c": {"anyOf": [{"type": "integer", "minimum": 3}, {"type": "null"}]},
        },
    )
    rules = dict(line.split(" ::= ") for line in made.splitlines())
    used = {w for rule in rules.values() for w in re.findall(r"[a-z]\w+", strip(rule))}
    assert used == rules.keys() - {"root"}


def strip(rule: str) -> str:
    """A rule without its literals and character classes."""
    return re.sub(r'"(?:\\.|[^"\\])*"|\[(?:\\.|[^\]\\])*\]', " ", rule)


def test_many_optional_properties_stay_small() -> None:
    """Which of 60 properties are there is 2^60 cases, and a grammar of a few lines each."""
    made = grammar(type="object", properties={f"p{n}": {"type": "boolean"} for n in range(60)})
    assert len(made) < 20_000


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "string", "pattern": "a+"}, "`pattern` cannot be held to"),
        ({"type": "string", "format": "date"}, "`format` cannot be held to"),
        ({"$ref": "#/x"}, r"`\$ref` cannot be held to"),
        ({"oneOf": []}, "`oneOf` cannot be held to"),
        ({}, "it has no type"),
        ({"type": "text"}, "there is no type `text`"),
        ({"type": "array"}, "a list says what its items are"),
        ({"type": "string", "minimum": 1}, "`minimum` says nothing of string"),
        ({"type": "integer", "minimum": 0.2, "maximum": 0.8}, "no whole number lies"),
        ({"type": "number", "minimum": 1, "exclusiveMaximum": 1}, "no number lies"),
        ({"type": "string", "minLength": 3, "maxLength": 2}, "`minLength` is above `maxLength`"),
        ({"enum": ["a"], "type": "integer"}, "no value of it meets the rest"),
        ({"type": "object", "required": ["x"]}, "`x` is required and is no property"),
        ({"type": "object", "additionalProperties": {"type": "null"}}, "is true or false here"),
        ({"anyOf": [{"type": "null"}], "type": "null"}, "`type` beside `anyOf`"),
        (["string"], "a schema is an object"),
    ],
)
def test_what_a_grammar_cannot_say_is_refused(schema: object, why: str) -> None:
    with pytest.raises(EngineError, match=why) as caught:
        compile_grammar(json.dumps({"type": "object", "properties": {"here": schema}}))
    assert caught.value.kind == "schema"
    assert not caught.value.retryable
    assert "`here" in str(caught.value)


def test_a_schema_that_holds_itself_very_deep() -> None:
    schema: dict[str, Any] = {"type": "null"}
    for _ in range(200):
        schema = {"type": "array", "items": schema}
    with pytest.raises(EngineError, match="nested more than"):
        compile_grammar(json.dumps(schema))
