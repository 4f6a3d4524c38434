"""What a `score` step shows a rating model, and what becomes of its number."""

from __future__ import annotations

from typing import Any

import pytest

from mashbill.compiler.render import render
from mashbill.runtime.scoring.rating import question

from ..compiler.world import compile_text, plan_of

SOLVE = """\
---
inputs: { text: str }
reply: { reasoning: tag, answer: tag }
---
{% block system %}Write <reasoning>…</reasoning> and <answer>…</answer>.{% endblock %}
{% block user %}{{ text }}{% endblock %}
"""
HEAD = """\
mashbill: 1
name: rated
models: { writer: fake/judge, rm: { use: fake/words, task: reward } }
sources:
  docs: { path: docs.jsonl, license: CC0-1.0, origin: human }
steps:
"""
SOLVED = "  solved: { op: generate, from: docs, model: writer, prompt: solve.md.j2 }\n"
BOOK = "  book: { op: rewrite, from: docs, model: writer, prompt: prompts/book.md.j2 }\n"
KEPT = "  kept: { op: verify, from: solved, checks: { regex: { got: answer, require: . } } }\n"


def shown(steps: str) -> tuple[Any, Any]:
    params = plan_of(HEAD + steps, {"solve.md.j2": SOLVE}).node("rated").definition["params"]
    return params["asked"], params["got"]


@pytest.mark.parametrize(
    ("steps", "asked", "got"),
    [
        (BOOK + "  rated: { op: score, from: book, model: rm }\n", ["input.text"], ["text"]),
        (
            SOLVED + "  rated: { op: score, from: solved, model: rm }\n",
            ["text"],
            ["reasoning", "answer"],
        ),
        (
            SOLVED + KEPT + "  rated: { op: score, from: kept, model: rm }\n",
            ["text"],
            ["reasoning", "answer"],
        ),
        (
            SOLVED + "  rated: { op: score, from: solved, model: rm, got: answer }\n",
            ["text"],
            ["answer"],
        ),
        (
            BOOK + "  rated: { op: score, from: book, model: rm, asked: [source.text, text] }\n",
            ["source.text", "text"],
            ["text"],
        ),
    ],
)
def test_what_is_rated_unless_the_recipe_says(steps: str, asked: Any, got: Any) -> None:
    assert shown(steps) == (asked, got)


def test_its_number_is_a_column_that_expressions_can_count_with() -> None:
    steps = BOOK + "  rated: { op: score, from: book, model: rm, set: { r: = score / 2 } }\n"
    node = plan_of(HEAD + steps).node("rated")
    assert dict(node.columns)["score"] == dict(node.columns)["r"].rstrip("?") == "float"
    assert node.origin == "synthetic"


def test_a_row_that_is_rated_is_whose_it_was() -> None:
    rated = "  rated: { op: score, from: docs, model: rm, asked: text, got: text }\n"
    node = plan_of(HEAD + rated).node("rated")
    assert node.origin == "human"


def test_columns_that_are_not_there_are_named() -> None:
    steps = SOLVED + "  rated: { op: score, from: solved, model: rm, got: [reasoning, anwser] }\n"
    compiled = compile_text(HEAD + steps, {"solve.md.j2": SOLVE})
    (found,) = compiled.report.diagnostics
    assert (found.code, found.help) == ("R104", "did you mean `answer`?"), render(compiled.report)


def test_texts_of_several_columns_stand_apart_and_null_is_none() -> None:
    row = {"text": "2 + 2?", "reasoning": "Two and two.", "hint": None, "answer": "4"}
    messages = question(row, ["text"], ["reasoning", "hint", "answer"])
    assert [(m.role, m.content) for m in messages] == [
        ("user", "2 + 2?"),
        ("assistant", "Two and two.\n\n4"),
    ]
