"""Reading replies: what each shape takes, which of several candidates, and what is missing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.compiler.prompts.replies import Part, Reply, read_reply
from mashbill.compiler.prompts.replies.marks import boxes, fences, headings, tags, title_of
from mashbill.compiler.prompts.replies.shapes import Schema
from mashbill.compiler.types import FLOAT, INT, STR, Type, list_of

ANSWER = Part("answer", "tag", "answer")
BOXED = Part("answer", "boxed")
CODE = Part("code", "fence", "python")
ANY_CODE = Part("other", "fence")
PLAN = Part("plan", "section", "Plan")
NOTES = Part("notes", "section", "Notes")
REST = Part("reasoning", "text")
MAYBE = Part("note", "tag", "note", optional=True)
TOO_LONG = "not JSON: a number is too long, or it is nested too deeply"


def values(text: str, *parts: Part) -> dict[str, Any]:
    reading = read_reply(Reply(parts), text)
    assert not reading.misfit, reading.misfit
    return dict(reading.values)


def missing(text: str, *parts: Part) -> list[str]:
    reading = read_reply(Reply(parts), text)
    assert not reading.values
    return list(reading.misfit["missing"])


@pytest.mark.parametrize(
    ("text", "parts", "expected"),
    [
        # the whole reply
        ("\n hello\n", (), {"text": "hello"}),
        ("\n\n    return 1\n", (), {"text": "    return 1"}),
        ("  \t\n\treturn 1\n", (), {"text": "\treturn 1"}),
        ("\u3000hello", (), {"text": "hello"}),
        (" a <answer>1</answer> ", (Part("title", "text"),), {"title": "a <answer>1</answer>"}),
        # tags
        ("<answer> 42 </answer>", (ANSWER,), {"answer": "42"}),
        ("<answer>1</answer> no: <answer>2</answer>", (ANSWER,), {"answer": "2"}),
        ("I put it in <answer> tags. <answer>2</answer>", (ANSWER,), {"answer": "2"}),
        ("<answer>a<answer>b</answer>c</answer>", (ANSWER,), {"answer": "a<answer>b</answer>c"}),
        ("</answer><answer>3</answer></answer>", (ANSWER,), {"answer": "3"}),
        ("<answer>4</answer> <answer>5", (ANSWER,), {"answer": "4"}),
        ("<answers>no</answers><answer >6</answer >", (ANSWER,), {"answer": "6"}),
        ("<answer>a\n\nb</answer>", (ANSWER,), {"answer": "a\n\nb"}),
        ("<answer>\n  if x:\n    y\n</answer>", (ANSWER,), {"answer": "if x:\n  y"}),
        ("<answer>\n    y\nz\n</answer>", (ANSWER,), {"answer": "    y\nz"}),
        ("<answer>  x\n  y</answer>", (ANSWER,), {"answer": "x\ny"}),
        # boxes
        (r"so $\boxed{7}$.", (BOXED,), {"answer": "7"}),
        (r"\boxed{1} then \boxed{\frac{a}{b}} {", (BOXED,), {"answer": r"\frac{a}{b}"}),
        (r"\boxed{\{1, 2\}}", (BOXED,), {"answer": r"\{1, 2\}"}),
        (r"\boxed{8} and \boxed{9", (BOXED,), {"answer": "8"}),
        (r"the set {1 and \boxed{2}", (BOXED,), {"answer": "2"}),
        (r"\boxed {3}", (BOXED,), {"answer": "3"}),
        # fences
        ("```python\nx = 1\n```", (CODE,), {"code": "x = 1"}),
        ("```python\na\n```\n```\nout\n```\n", (CODE,), {"code": "a"}),
        ("```python\na\n```\n```python\nb\n```", (CODE,), {"code": "b"}),
        ("~~~ Python title=x\na\n```\nb\n~~~", (CODE,), {"code": "a\n```\nb"}),
        ("````python\n```\nin\n```\n````", (CODE,), {"code": "```\nin\n```"}),
        ("1. so\n   ```python\n   if x:\n     y\n   ```\n", (CODE,), {"code": "if x:\n  y"}),
        (
            "```\nq\n```\n```python\nr\n```",
            (CODE, ANY_CODE),
            {"code": "r", "other": "q"},
        ),
        ("`python` is ```inline``` here\n```python\nz\n```", (CODE,), {"code": "z"}),
        ("  ```python\n  a\n    b\n  ```", (CODE,), {"code": "a\n  b"}),
        ("```python\n\n    a\n```", (CODE,), {"code": "    a"}),
        # sections
        ("    ## Plan\nfirst", (PLAN,), {"plan": "first"}),
        ("## Plan\n\n    a\n    b\n", (PLAN,), {"plan": "    a\n    b"}),
        ("## Plan\nfirst\n## Other\nsecond", (PLAN,), {"plan": "first"}),
        ("# 1. **The plan:**\na\n### Deeper\nb", (Part("p", "section", "the plan"),),
         {"p": "a\n### Deeper\nb"}),
        ("## Plan\na\n### Notes\nb", (PLAN, NOTES), {"plan": "a", "notes": "b"}),
        ("## plan ##\nold\n## Plan\nnew", (PLAN,), {"plan": "new"}),
        ("## Plan\nx\n```python\n# Plan\n```\n", (PLAN, CODE), {"plan": "x", "code": "# Plan"}),
        # together
        (
            "Twice two.\n<answer>4</answer>\nDone.",
            (REST, ANSWER),
            {"reasoning": "Twice two.\n\nDone.", "answer": "4"},
        ),
        (
            r"Twice two is $\boxed{4}$.",
            (REST, BOXED),
            {"reasoning": r"Twice two is $\boxed{4}$.", "answer": "4"},
        ),
        (
            "Hi.\n\n## Plan\nA\n```python\nb\n```\nC\n",
            (REST, PLAN, CODE),
            {"reasoning": "Hi.", "plan": "A\n\nC", "code": "b"},
        ),
        (
            "<think>2</think> so <answer>3</answer>",
            (REST, ANSWER),
            {"reasoning": "<think>2</think> so", "answer": "3"},
        ),
        (
            "    a\n```python\nb\n```\n\n    c",
            (REST, CODE),
            {"reasoning": "    a\n\n    c", "code": "b"},
        ),
        ("only this", (REST, MAYBE), {"reasoning": "only this", "note": None}),
        ("<note> </note>x", (REST, MAYBE), {"reasoning": "x", "note": None}),
    ],
)  # fmt: skip
def test_what_a_reply_says(text: str, parts: tuple[Part, ...], expected: dict[str, Any]) -> None:
    assert values(text, *parts) == expected
    assert list(values(text, *parts)) == list(expected)


@pytest.mark.parametrize(
    ("text", "parts", "expected"),
    [
        ("", (), ["text"]),
        ("42", (ANSWER,), ["answer"]),
        ("<answer></answer>", (ANSWER,), ["answer"]),
        ("<answer>4", (ANSWER,), ["answer"]),
        ("<Answer>4</Answer>", (ANSWER,), ["answer"]),
        (r"\boxed{", (BOXED,), ["answer"]),
        (r"\boxed{ }", (BOXED,), ["answer"]),
        ("```python\nx", (CODE,), ["code"]),
        ("```py\nx\n```", (CODE,), ["code"]),
        ("```python\nx\n```", (ANY_CODE, CODE), ["other"]),
        ("## Plans\nx", (PLAN,), ["plan"]),
        ("```\n## Plan\nx\n```", (PLAN,), ["plan"]),
        ("## Plan\n## Notes\nx", (PLAN, NOTES), ["plan"]),
        ("nothing", (ANSWER, REST, CODE), ["answer", "code"]),
        ("<answer>1</answer>", (ANSWER, REST), ["reasoning"]),
    ],
)
def test_what_a_reply_lacks(text: str, parts: tuple[Part, ...], expected: list[str]) -> None:
    assert missing(text, *parts) == expected


SCHEMA = Schema(
    json.dumps({
        "type": "object",
        "properties": {
            "score": {"type": "number", "maximum": 5},
            "count": {"type": "integer"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "who": {"type": "object", "properties": {"name": {"type": "string"}}},
        },
        "required": ["score"],
    }),
    (
        ("score", FLOAT),
        ("count", INT.maybe()),
        ("tags", list_of(STR).maybe()),
        ("who", Type("struct", True, fields=(("name", STR.maybe()),))),
    ),
)  # fmt: skip
NOTHING = {"count": None, "tags": None, "who": None}


def json_of(text: str, *parts: Part) -> Any:
    reading = read_reply(Reply(parts, SCHEMA), text)
    return dict(reading.values) or reading.misfit.get("json")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"score": 4}', {"score": 4.0, **NOTHING}),
        ('```json\n{"score": 4.5, "count": 2.0}\n```', {"score": 4.5, **NOTHING, "count": 2}),
        ('Sure:\n```\n{"score": 1}\n```\nDone.', {"score": 1.0, **NOTHING}),
        ('```json\n{"score": 1}\n```\n```json\n{"score": 2}\n```', {"score": 2.0, **NOTHING}),
        ('I think so.\n{"score": 3,\n "tags": ["a"]}', {"score": 3.0, **NOTHING, "tags": ["a"]}),
        ('{"score": 0, "who": {"name": "A", "more": 1}, "extra": 2}',
         {"score": 0.0, **NOTHING, "who": {"name": "A"}}),
        ('{"score": 0, "who": {}}', {"score": 0.0, **NOTHING, "who": {"name": None}}),
        ('{"score": 6}', "score: 6 is greater than the maximum of 5"),
        ("{}", "'score' is a required property"),
        ('{"score": "4"}', "score: '4' is not of type 'number'"),
        ('{"score": true}', "score: True is not of type 'number'"),
        ("[1]", "not an object"),
        ('"text"', "not an object"),
        ("four", "not JSON: Expecting value at character 0"),
        ('{"score": NaN}', TOO_LONG),
        ('{"score": 1, "count": 99999999999999999999}', "a whole number does not fit 64 bits"),
        ('{"score": -1e999}', "a number is too large"),
        ('{"score": 1, "tags": ["\\ud800"]}', "a character is half of a surrogate pair"),
        ('{"score": ' + "9" * 5000 + "}", TOO_LONG),
        ("[" * 100_000, TOO_LONG),
        ('it is {"score": 1}', "not JSON: Expecting value at character 0"),
    ],
)  # fmt: skip
def test_json_objects(text: str, expected: Any) -> None:
    assert json_of(text) == expected


def test_json_beside_text_and_a_tag() -> None:
    found = json_of('So.\n<answer>x</answer>\n```json\n{"score": 2}\n```', REST, ANSWER)
    assert found == {"score": 2.0, **NOTHING, "reasoning": "So.", "answer": "x"}


def test_json_columns_have_the_types_that_are_declared() -> None:
    found = json_of('{"score": 3, "count": 4.0}')
    assert type(found["score"]) is float
    assert type(found["count"]) is int


def test_titles_are_compared_without_what_decorates_them() -> None:
    written = ("The Plan", "  **the  plan** ", "2) The plan:", "`The plan`", "__The Plan__:")
    assert {title_of(w) for w in written} == {"the plan"}


# -- properties

PARTS: list[Part] = [
    REST, ANSWER, CODE, ANY_CODE, PLAN, NOTES, Part("box", "boxed"), Part("note", "tag", "b", True)
]  # fmt: skip
TOKENS = st.sampled_from(
    ["<answer>", "</answer>", "<b>", "</b>", "\\boxed{", "{", "}", "\\", "```", "```python", "~~~",
     "````", "\n", "\n\n", "## Plan", "# Notes", "### x", " ", "\t", "word", "é", '{"a": 1}']
)  # fmt: skip
noise = st.lists(TOKENS, max_size=40).map("".join) | st.text(max_size=60)
shapes = st.lists(st.sampled_from(PARTS), unique=True, min_size=1, max_size=5)


@given(noise, shapes, st.booleans())
def test_no_text_is_without_a_reading(text: str, parts: list[Part], with_json: bool) -> None:
    reply = Reply(tuple(parts), SCHEMA if with_json else None)
    reading = read_reply(reply, text)
    assert bool(reading.values) != bool(reading.misfit)
    if reading.values:
        assert set(reading.values) == {name for name, _ in reply.columns}
        for part in parts:
            value = reading.values[part.column]
            assert (value is None and part.optional) or str(value).strip()


@given(noise)
def test_marks_lie_within_the_text_one_behind_the_other(text: str) -> None:
    code = fences(text)
    for marks in (tags(text, "answer"), boxes(text), code):
        at = 0
        for mark in marks:
            assert at <= mark.start <= mark.inner[0] <= mark.inner[1] <= mark.end <= len(text)
            at = mark.end
    for head in headings(text, code):
        assert text[head.start : head.end].lstrip(" ").startswith("#")
        assert not any(f.start <= head.start < f.end for f in code)


words = st.text(st.sampled_from("abc xyz.,\n0é"), min_size=1).map(str.strip).filter(bool)
math = st.sampled_from(["42", r"\frac{1}{2}", r"\{1\}", "x^{2}", "a b"])
lines = st.sampled_from(["x = 1", "  y", "# no heading", "", "print()"])
code_text = st.lists(lines, min_size=1).map(
    lambda ls: "\n".join(ls).strip("\n")
).filter(str.strip)  # fmt: skip


@given(words, words, math, code_text, words)
def test_a_reply_that_is_written_by_its_shape_is_read_back(
    plan: str, answer: str, box: str, code: str, rest: str
) -> None:
    parts = (REST, PLAN, CODE, ANSWER, Part("box", "boxed"))
    text = (
        f"{rest}\n\n<answer>{answer}</answer>\n\n## Plan\n{plan}\n\n```python\n{code}\n```\n"
        f"\\boxed{{{box}}}\n"
    )
    found = values(text, *parts)
    assert found["reasoning"] == rest
    assert found["answer"] == answer
    assert found["plan"] == f"{plan}\n\n\\boxed{{{box}}}"
    assert found["code"] == code
    assert found["box"] == box


json_values = st.fixed_dictionaries(
    {"score": st.floats(max_value=5, allow_nan=False, allow_infinity=False)},
    optional={
        "count": st.integers(-(2**63), 2**63 - 1),
        "tags": st.lists(st.text(st.characters(exclude_categories=["Cs"]))),
    },
)


@given(json_values, st.sampled_from(["{}", "```json\n{}\n```", "Well.\n{}"]), st.booleans())
def test_json_is_read_back(made: dict[str, Any], around: str, pretty: bool) -> None:
    written = json.dumps(made, indent=1 if pretty else None, ensure_ascii=pretty)
    assert json_of(around.replace("{}", written)) == {**NOTHING, **made}


@pytest.mark.parametrize(
    "text",
    ["<answer>" * 20_000, "</answer>" * 20_000, r"\boxed{" * 20_000, "```a\n" * 20_000,
     "".join("`" * n + "\n" for n in range(3, 300)) * 3, "# " * 50_000, "#" * 90_000 + " " * 90_000,
     "## Plan\n" * 20_000, "{\n" * 20_000, " \n" * 90_000, "{\"a\":\n" * 20_000]
)  # fmt: skip
def test_a_reply_made_to_be_slow_is_read_in_one_pass(text: str) -> None:
    # None of these ends within minutes if anything in the reading is quadratic.
    assert read_reply(Reply((ANSWER, CODE, PLAN, Part("box", "boxed"))), text).misfit
    assert read_reply(Reply((REST,), SCHEMA), text).misfit
