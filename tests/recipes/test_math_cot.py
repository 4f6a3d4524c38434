"""recipes/math-cot: which draw is kept of each problem, and why the others go."""

from __future__ import annotations

from operator import itemgetter

import pytest

from .conftest import Lesson
from .pupil import own_words, seeds

pytestmark = pytest.mark.parametrize("lesson", [("math-cot", "solver")], indirect=True)
SEEDS = seeds("math-cot")
COUNT = len(SEEDS)
MODEL, HUMAN = (
    {f"Problem: {s['question']}\n\n{by(s)}\n\nThe answer is {s['answer']}." for s in SEEDS}
    for by in (own_words, itemgetter("solution"))
)
ROOM = {"steps.solved.sampling.max_tokens": 200}


def test_the_shortest_right_solution_is_kept(lesson: Lesson) -> None:
    record, rows = lesson.run(sets=ROOM)
    steps = record["steps"]
    assert steps["solved"]["rejected"] == {"unparsed": COUNT}
    assert steps["right"]["rejected"] == {
        "arithmetic": COUNT,
        "too_few_steps": COUNT,
        "wrong": 2 * COUNT,
    }
    assert steps["math"]["out"] == COUNT
    made = rows.filter(_origin="synthetic")
    assert made.height and set(made["text"]) <= MODEL
    assert not made["text"].is_duplicated().any()


def test_half_of_the_tokens_are_human(lesson: Lesson) -> None:
    record, rows = lesson.run(sets=ROOM)
    assert record["mix"]["human_share"] >= 0.5
    human = rows.filter(_origin="human")
    assert human.height and set(human["text"]) <= HUMAN


def test_a_hint_helps_where_the_solution_holds_without_it(lesson: Lesson) -> None:
    record, rows = lesson.run("star", sets=ROOM)
    odd = sum(int(s["id"][-2:]) % 2 for s in SEEDS)
    assert record["steps"]["math"]["out"] == odd
    made = rows.filter(_origin="synthetic")
    assert made.height and set(made["text"]) <= MODEL
    assert not made["text"].str.contains("hint|Answer:").any()


def test_draws_end_with_the_second_that_passes(lesson: Lesson) -> None:
    record, _ = lesson.run("uniform", sets=ROOM)
    assert record["models"]["solver"]["sent"] == 6 * COUNT, "draws 4 and 5 pass"
    assert record["steps"]["right"]["rejected"] == {"wrong": COUNT}, (
        "the sum of draw 4 is beside it"
    )
    assert record["steps"]["math"]["out"] == COUNT


def test_without_answers_the_vote_decides(lesson: Lesson) -> None:
    record, rows = lesson.run("unlabelled", sets=ROOM)
    steps = record["steps"]
    assert (steps["right"]["out"], steps["math"]["out"]) == (7 * COUNT, COUNT)
    made = rows.filter(_origin="synthetic")
    assert made.height and made["text"].str.contains("It must be").all(), "shortest, and not held"


def test_a_second_run_plans_with_what_it_paid_for_and_asks_nobody(lesson: Lesson) -> None:
    first, rows = lesson.run(sets=ROOM)
    second, again = lesson.run(sets=ROOM)
    assert second["models"]["solver"]["sent"] == 0
    assert second["steps"]["math"] == first["steps"]["math"]
    assert again.equals(rows)
