"""recipes/math-tool: the program decides, and what is told of it must be what it printed."""

from __future__ import annotations

import pytest

from tests.sandbox.here import needs_bubblewrap

from .conftest import Lesson
from .pupil import seeds

pytestmark = [
    needs_bubblewrap,
    pytest.mark.parametrize("lesson", [("math-tool", "solver")], indirect=True),
]
SEEDS = seeds("math-tool")
TAUGHT = {
    "\n\n".join(
        (
            f"Problem: {s['question']}",
            "Add nothing.",
            f"```python\nanswer = {s['answer']}\nprint(answer + 0)\n```",
            f"Output:\n\n```\n{s['answer']}\n```",
            f"The program says {s['answer']}.\n\\boxed{{{s['answer']}}}",
        )
    )
    for s in SEEDS
}


def test_what_a_program_prints_decides(lesson: Lesson) -> None:
    record, rows = lesson.run(sets={"sources.problems.limit": 8})
    steps = record["steps"]
    assert steps["written"]["rejected"] == {"unparsed": 8}
    assert steps["ran"]["out"] == 24
    assert steps["right"]["rejected"] == {"expr": 8, "wrong": 8}, "one divided by 0, one guessed"
    assert steps["best"]["out"] == 8
    assert (steps["thought"]["out"], steps["thought"]["failures"]) == (
        8,
        {"forbidden": 8, "expr": 8},
    )
    assert (steps["told"]["out"], steps["told"]["failures"]) == (8, {"wrong": 8}), "told again"
    made = rows.filter(_origin="synthetic")
    assert made.height and set(made["text"]) <= TAUGHT
