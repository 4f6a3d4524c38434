"""recipes/code-cot-tests: tests that bite decide, and a repair mends what they found."""

from __future__ import annotations

import pytest

from tests.sandbox.here import needs_bubblewrap

from .conftest import Lesson
from .pupil import seeds

pytestmark = [
    needs_bubblewrap,
    pytest.mark.parametrize("lesson", [("code-cot-tests", "coder")], indirect=True),
]
SEEDS = seeds("code-cot-tests")[:6]
"""The tests that the pupil writes for the first of them would hold for any function."""
TAUGHT = {
    f"{s['task']}\n\nDo what the task says.\n\n```python\n{s['reference']}\n```" for s in SEEDS
}


@pytest.fixture(autouse=True)
def few_tasks(lesson: Lesson) -> None:
    """Six tasks of all."""
    file = lesson.folder / "tasks/tasks.jsonl"
    file.write_text("".join(file.read_text("utf-8").splitlines(keepends=True)[: len(SEEDS)]))


def test_tests_that_bite_decide(lesson: Lesson) -> None:
    record, rows = lesson.run()
    steps = record["steps"]
    assert steps["passes"]["rejected"] == {"stub_passes": 4}
    assert steps["passes"]["units"] == {"accepted": 10, "rejected": 4}, "two of four are repaired"
    assert steps["best"]["out"] == steps["code"]["out"] == 5
    made = rows.filter(_origin="synthetic")
    assert made.height and set(made["text"]) <= TAUGHT
    assert record["checks"]["code"]["given"]["passed"] == 5, "their own tests are worth something"
    for request in lesson.asked:
        system, *_, asked = (m.content for m in request.messages)
        if system.startswith("Write three"):
            assert "return" not in asked, "who writes the tests sees no program"
        elif not system.startswith("The function fails"):
            assert "assert" not in asked, "who writes the program sees no tests"


def test_the_tests_of_the_tasks_decide(lesson: Lesson) -> None:
    record, _ = lesson.run("given")
    assert "tested" not in record["steps"]
    assert record["models"]["coder"]["sent"] == 6 + 4 * 6 + 2 * 6, "plans, programs, repairs"
    assert record["steps"]["best"]["out"] == 6
