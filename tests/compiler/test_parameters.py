"""Parameters: types and limits, three layers, fields that are worked out before any row is read."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.compiler.constants import evaluate, fill
from mashbill.compiler.expr import parse_expr
from mashbill.compiler.plan import Plan

from .world import compile_text

RECIPE = """\
mashbill: 1
name: first
seed: 7
params:
  few: { default: 4, min: 1, max: 10 }
  warm: 0.5
  style: { default: textbook, one_of: [textbook, faq] }
  total: 600k tokens
  strict: true
profiles:
  smoke: { params.few: 2, params.style: faq }
models:
  writer: { use: fake/rewrite, sampling: { temperature: = params.warm } }
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human, limit: = params.few * 100 }
steps:
  long: { op: filter, from: docs, keep: words(text) > params.few or not params.strict }
  ask:
    op: generate
    from: long
    model: writer
    prompt: prompts/book.md.j2
    samples: = max(params.few // 2, 1)
    set: { style: = params.style }
mix:
  total: = params.total
  parts: { long: 50%, ask: 50% }
  on_shortfall: shrink
"""


def planned(*sets: str, profile: str | None = None) -> Plan:
    compiled = compile_text(RECIPE, sets=sets, profile=profile)
    assert compiled.plan is not None, str(compiled.report)
    return compiled.plan


def test_fields_and_expressions_hold_plain_values() -> None:
    plan = planned()
    assert plan.sources["docs"]["limit"] == 400
    assert plan.mix is not None
    assert plan.mix["total"] == 600_000
    ask, long = plan.node("ask").definition, plan.node("long").definition
    assert ask["params"]["samples"] == 2
    assert ask["params"]["sampling"]["temperature"] == 0.5
    assert ask["set"] == {"style": "textbook"}
    assert long["params"]["keep"] == "words(text) > 4 or not true"


def test_a_profile_sets_them_and_the_command_line_sets_them_over_it() -> None:
    smoke = planned(profile="smoke")
    assert smoke.sources["docs"]["limit"] == 200
    assert smoke.node("ask").definition["set"] == {"style": "faq"}
    both = planned("params.few=9", profile="smoke")
    assert both.sources["docs"]["limit"] == 900
    assert both.node("ask").definition["set"] == {"style": "faq"}
    assert planned("params.few.default=9").sources["docs"]["limit"] == 900


def test_the_value_and_not_the_name_is_identity() -> None:
    plan = planned()
    renamed = compile_text(RECIPE.replace("few", "least")).plan
    written = compile_text(RECIPE.replace("= params.few * 100", "400")).plan
    assert renamed is not None
    assert written is not None
    assert plan.digest == renamed.digest == written.digest
    assert planned("params.few=5").digest != plan.digest


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("params.few=11", "params.few is at most 10, got 11"),
        ("params.few=0", "params.few is at least 1, got 0"),
        ("params.few=many", 'params.few is a whole number, got "many"'),
        ("params.few=2.5", "params.few is a whole number, got 2.5"),
        ("params.few=true", "params.few is a whole number, got true"),
        ("params.warm=hot", 'params.warm is a number, got "hot"'),
        ("params.style=poem", 'params.style is one of textbook, faq, got "poem"'),
        ("params.total=600MB", "params.total is a number of tokens like 600M tokens, got"),
        ("params.total=600", "params.total is a number of tokens like 600M tokens, got 600"),
        ("params.strict=1", "params.strict is true or false, got 1"),
        ("params.fewer=3", "params.fewer matches nothing (5 params: few, warm, style, total, st"),
        ("params.few=", "params.few is a whole number, got nothing"),
        ("params.few==params.few", "params.few is a whole number, got"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_where_it_was_typed(setting: str, words: str) -> None:
    report = compile_text(RECIPE, sets=[setting]).report
    (found,) = report.errors
    assert words in found.message
    assert found.span
    assert found.span.file == "--set"


def test_a_whole_number_will_do_where_the_default_is_a_fraction() -> None:
    plan = planned("params.warm=1")
    assert plan.node("ask").definition["params"]["sampling"]["temperature"] == 1


def test_a_profile_that_nobody_chose_is_checked_too() -> None:
    broken = RECIPE.replace("params.few: 2", "params.few: 20")
    (found,) = compile_text(broken).report.errors
    assert found.message == "params.few is at most 10, got 20"


def test_a_field_that_comes_out_wrong_is_told_at_its_expression() -> None:
    broken = RECIPE.replace("= max(params.few // 2, 1)", "= params.few / 3")
    (found,) = compile_text(broken).report.errors
    assert found.message.startswith("samples must be an integer, got 1.33")
    assert found.span
    assert broken[found.span.start : found.span.end] == "= params.few / 3"


def test_a_secret_name_is_no_place_for_an_expression() -> None:
    text = dedent(RECIPE).replace("name: first", "name: = params.style")
    (found,) = compile_text(text).report.errors
    assert found.message == "name is a name, not an expression"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 + 3 * 4", 14),
        ("7 // 2 - 7 % 2", 2),
        ("1 / 4", 0.25),
        ("-params.a", -3),
        ("params.a if params.b > 1 else 0", 0),
        ("min(params.a, 2) + abs(-1)", 3),
        ("round(2.4)", 2),
        ("params.t", "text"),
        ("params.t + '!'", "text!"),
        ("not (1 < 2 <= 2)", False),
        ("null and false", False),
        ("null or 1 == 1", True),
        ("params.a in [1, 3]", True),
        ("coalesce(null, 4)", 4),
        ("null is null", True),
    ],
)
def test_a_constant_is_worked_out(text: str, value: object) -> None:
    expr, problems = parse_expr(text)
    assert expr
    assert not problems
    filled, unknown = fill(expr, {"params.a": 3, "params.b": 0.5, "params.t": "text"})
    assert not unknown
    assert evaluate(filled) == (value, ())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 / 0", "division by zero"),
        ("'a' * 2", "must be a number"),
        ("9223372036854775807 + 1", "64 bits"),
        ("1e308 * 10", "no finite number"),
        ("1 < 'a'", "cannot be compared"),
        ("words('a b')", "row by row"),
        ("text", "same for all rows"),
        ("not 3", "true or false"),
        ("max('a', 1)", "numbers"),
        ("int('x')", "cannot take"),
    ],
)
def test_what_has_no_constant_value_says_why(text: str, words: str) -> None:
    expr, _ = parse_expr(text)
    assert expr
    _, (problem,) = evaluate(expr)
    assert words in problem.message


@given(st.recursive(
    st.integers(-50, 50).map(str),
    lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"({' '.join(t)})"),
    max_leaves=20,
))  # fmt: skip
def test_arithmetic_is_arithmetic(text: str) -> None:
    expr, _ = parse_expr(text)
    if expr is None:  # deeper than the language goes
        return
    value, problems = evaluate(expr)
    expected = eval(text)
    if abs(expected) < 2**63:
        assert (value, problems) == (expected, ())
