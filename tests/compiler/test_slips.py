"""Slips that need more than a table to be told well: a line to be moved, a region that hides."""

from __future__ import annotations

import pytest

from mashbill.compiler.diagnostics import Diagnostic

from .world import compile_text

RECIPE = """\
mashbill: 1
name: slips
models:
  writer: fake/rewrite
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
  long: { op: filter, from: docs, keep: words(text) > 3 }
  book:
    op: rewrite
    from: long
    model: writer
    prompt: prompts/book.md.j2
    checks:
      length: { min: 0.5, max: 2 }
      plain: { kind: regex, forbid: sure }
    on_fail: [{ retry: { times: 1, for: [length, truncated] } }, reject]
profiles:
  smoke: { steps.book.limit: 1, models.writer: fake/words }
"""


def told(recipe: str, files: dict[str, str] | None = None) -> list[Diagnostic]:
    return list(compile_text(recipe, files).report.errors)


def where(recipe: str, d: Diagnostic) -> tuple[int, str]:
    """The line of a diagnostic, and the characters that it marks."""
    assert d.span is not None
    return recipe.count("\n", 0, d.span.start) + 1, recipe[d.span.start : d.span.end]


def test_the_recipe_is_right() -> None:
    assert told(RECIPE) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "marked", "message"),
    [
        ("    op: rewrite", "      op: rewrite", 10, "op", "this line is indented too far"),
        ("    op: rewrite", "  op: rewrite", 10, "op", "this line is indented too little"),
        ("    model: w", "     model: w", 12, "model", "this line is indented too far"),
        ("mashbill: 1", "  mashbill: 1", 1, "mashbill", "this line is indented too far"),
        ("  writer: f", "writer: f", 4, "writer", "'writer' stands beside 'models', not below it"),
        ("    on_fail", "  on_fail", 17, "on_fail",
         "'on_fail' stands beside step 'book', not in it"),
        ("sources:", "  sources:", 5, "sources",
         "'sources' belongs at the top level, not below models"),
        ("op: rewrite", "op rewrite", 10, "op", "expected ':' after key 'op'"),
        ("op: rewrite", "op:rewrite", 10, "op", "expected a blank after the colon of 'op'"),
        ("op: rewrite", "op = rewrite", 10, "op", "expected ':' after key 'op'"),
        ("  long: {", "  long {", 8, "long", "expected ':' after key 'long'"),
        ("origin: human }", "origin: human", 6, "{", "'{' is never closed"),
        ("truncated] } }", "truncated } }", 17, "[", "'[' is never closed"),
        ("origin: human }", "origin: human }}", 6, "}", "this '}' closes nothing"),
        ("max: 2", "max: 0.1", 15, "0.5",
         "check 'length' passes nothing: its min 0.5 is above its max 0.1"),
        ("max: 2", "max: -2", 15, "-2", "max must be at least 0, got -2"),
        (", forbid: sure", "", 16, "plain", "check 'plain' needs forbid or require"),
        ("kind: regex", "kinds: regex", 16, "kinds",
         "unknown key 'kinds' in check 'plain'; did you mean 'kind'?"),
        ("kind: regex", "kind: [regex]", 16, "kind", "kind must be text, got a list"),
        ("models:", "modles:", 3, "modles",
         "unknown key 'modles' in the recipe; did you mean 'models'?"),
        ("steps:", "stpes:", 7, "stpes",
         "unknown key 'stpes' in the recipe; did you mean 'steps'?"),
    ],
)  # fmt: skip
def test_one_error_where_the_slip_is(
    old: str, new: str, line: int, marked: str, message: str
) -> None:
    assert RECIPE.count(old) >= 1
    broken = RECIPE.replace(old, new, 1)
    errors = told(broken)
    assert [e.message for e in errors] == [message]
    assert where(broken, errors[0]) == (line, marked)


def test_a_missing_name_is_told_once_with_every_place() -> None:
    broken = RECIPE.replace("  long: {", "  lang: {").replace(
        "steps:\n", "steps:\n  more: { op: filter, from: long, keep: words(text) > 9 }\n"
    )
    errors = told(broken)
    assert [e.code for e in errors] == ["R101"]
    assert [label.text for label in errors[0].secondary] == ["and here"]


def test_a_profile_says_nothing_of_a_name_that_a_step_misses_too() -> None:
    errors = told(RECIPE.replace("  writer: fake/rewrite", "  writter: fake/rewrite"))
    assert [e.code for e in errors] == ["R110"]
    assert told(RECIPE.replace("models.writer:", "models.writter:"))[0].code == "R107"


def test_a_column_of_set_that_is_wrong_is_there_for_the_prompt() -> None:
    prompt = PROMPT.replace("{ text: str }", "{ text: str, tone: str }")
    prompt = prompt.replace("anew.", "anew, {{ tone }}.")
    step = "    set: { tone: = chooze(['a', 'b']) }\n    checks:"
    broken = RECIPE.replace("    checks:", step.replace("= ch", '"= ch').replace(") }", ')" }'))
    assert [e.code for e in told(broken, {"prompts/book.md.j2": prompt})] == ["X151"]


def test_a_broken_parameter_is_told_where_it_is_declared() -> None:
    head = "params:\n  few: { defualt: 3, min: 1 }\n"
    broken = head + RECIPE.replace("words(text) > 3", "words(text) > params.few")
    assert [e.message for e in told(broken)] == [
        "unknown key 'defualt' in few; did you mean 'default'?"
    ]


def test_an_address_holds_no_half_a_variable() -> None:
    model = '  writer: { use: http/qwen, url: "$URL}" }\n'
    broken = RECIPE.replace("  writer: fake/rewrite\n", model)
    assert [e.message for e in told(broken)] == ["url holds a '$' that belongs to no variable"]


BODY = "{% block system %}Say it anew.{% endblock %}\n{% block user %}{{ text }}{% endblock %}\n"
PROMPT = f"---\ninputs: {{ text: str }}\n---\n{BODY}"


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("anew.{% endblock %}", "anew.", 4, "`{% block system %}` is never closed"),
        ("{% block user %}", "{ block user }", 5, "a tag is written between `{%` and `%}`"),
        ("{% block user %}", "", 5, "`{% endblock %}` closes nothing"),
        ("---\ninputs", "inputs", 1, "the front matter does not begin with a line `---`"),
        ("{{ text }}", "{ text | trim }", 5,
         "single braces are printed literally in a Jinja prompt"),
        ("inputs:", "input:", 2, "unknown key `input` in front matter"),
    ],
)  # fmt: skip
def test_slips_of_prompts(old: str, new: str, line: int, message: str) -> None:
    broken = PROMPT.replace(old, new, 1)
    errors = told(RECIPE, {"prompts/book.md.j2": broken})
    assert [e.message for e in errors] == [message]
    assert where(broken, errors[0])[0] == line
