"""Rows in the order in which they came: nothing that finishes early passes for all."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest

from mashbill.runtime.censored import Durations
from mashbill.runtime.cohort import (
    CALLS,
    HELD,
    MOST_BATCHES,
    MOST_EARLY,
    OUT,
    REPLY,
    ROWS,
    Cohort,
    Settled,
)
from mashbill.runtime.outcome import Attempt, Outcome, Unit
from mashbill.runtime.requests import Completion
from mashbill.runtime.tab import Paid, Tab, note_held, note_paid, note_sent, open_tab

OUT_OF_IT = (Outcome("out", ({},)),)


def tab_of(reply: int, *, calls: int = 1, seconds: float = 1.0, held: int = 0) -> Tab:
    tab = Tab({"writer": Paid(calls, 10 * calls, reply)} if calls else {}, held)
    tab.sent(0.0)
    tab.back(0.0, seconds)
    return tab


def finish(cohort: Cohort, number: int, tab: Tab, outcomes: Sequence[Outcome] = OUT_OF_IT) -> None:
    if number not in cohort._open:
        cohort.let_in(number, 1.0, tab)
    cohort.done(number, outcomes)


def test_rows_count_in_their_order() -> None:
    cohort = Cohort("writer")
    for number in range(4):
        cohort.let_in(number, 1.0, tab_of(100 * number))
    for number in (3, 1, 2):
        finish(cohort, number, tab_of(0))
    assert cohort.batches == [] and cohort.all_rows == 3
    finish(cohort, 0, tab_of(0))
    assert [b[REPLY] for b in cohort.batches] == [0, 100, 200, 300]


def test_batches_are_joined_when_there_are_many() -> None:
    cohort = Cohort("writer")
    for number in range(1000):
        finish(cohort, number, tab_of(number))
    assert len(cohort.batches) <= MOST_BATCHES
    sizes = [b[ROWS] for b in cohort.batches]
    assert len(set(sizes[:-1])) == 1 and sizes[-1] <= sizes[0]
    assert sum(sizes) == 1000
    assert sum(b[REPLY] for b in cohort.batches) == sum(range(1000))
    firsts = [b[REPLY] / b[ROWS] for b in cohort.batches]
    assert firsts == sorted(firsts), "rows of a batch are neighbours"


def test_rows_that_pass_count_with_those_they_came_with() -> None:
    cohort = Cohort("writer")
    for number in range(4):  # 12 rows came, 8 of them pass by `when:`
        cohort.let_in(number, 3.0, tab_of(50))
        cohort.done(number, OUT_OF_IT if number else (Outcome("rejected", reason="x"),))
    cohort.passed(5)
    assert sum(b[ROWS] for b in cohort.batches) == 17
    assert sum(b[OUT] for b in cohort.batches) == 16


def test_one_that_hangs_does_not_hold_up_all() -> None:
    cohort = Cohort("writer")
    hung = Tab()
    cohort.let_in(0, 1.0, hung)
    for number in range(1, MOST_EARLY + 3):
        finish(cohort, number, tab_of(1))
    assert sum(b[ROWS] for b in cohort.batches) == MOST_EARLY + 2
    hung.paid["writer"] = Paid(1, 10, 7000)
    cohort.done(0, OUT_OF_IT)
    assert sum(b[REPLY] for b in cohort.batches) == MOST_EARLY + 2 + 7000
    assert cohort.settled.rows == MOST_EARLY + 3


def test_what_later_plans_may_learn() -> None:
    asked = Unit("a", (), (Attempt(0, "k", "x", "stop"),), "accepted", "x")
    kept = Unit("b", (), (), "kept", "b")
    cohort = Cohort("writer")
    finish(cohort, 0, tab_of(30, calls=2), (Outcome("out", ({}, {}), units=(asked, kept, asked)),))
    finish(cohort, 1, tab_of(9, held=1))  # its first reply was held: it says too little
    finish(cohort, 2, tab_of(0, calls=0, held=1))
    finish(cohort, 3, tab_of(0, calls=0))  # asked nobody
    finish(cohort, 4, tab_of(99), (Outcome("error", reason="timeout"),))
    assert cohort.settled == Settled(
        rows=1, units=2, calls=2, prompt=20, reply=30, out=2, asked=3, free=1, free_out=1
    )
    assert (cohort.all_rows, cohort.all_held) == (5, 1)
    assert [b[HELD] for b in cohort.batches] == [0, 0, 1, 0, 0]
    assert sum(b[CALLS] for b in cohort.batches) == 4


def test_replies_of_checks_are_no_replies_of_the_step() -> None:
    cohort = Cohort("writer")
    tab = tab_of(30)
    tab.paid["judge"] = Paid(3, 300, 5)
    finish(cohort, 0, tab)
    assert (cohort.settled.calls, cohort.settled.reply) == (1, 30)
    assert (cohort.batches[0][CALLS], cohort.batches[0][REPLY]) == (4, 35)


def test_a_tab_counts_what_its_task_asks_for() -> None:
    note_paid("writer", Completion("", "stop", 1, 1, 9), 1.0)  # nobody's row: noted nowhere
    tab = open_tab()
    assert note_sent(10.0) is tab and note_sent(11.0) is tab
    assert tab.seconds(12.0) == 3.0
    tab.back(10.0, 12.5)
    note_paid("writer", Completion("", "stop", 7, 5, 9, cached_tokens=2), 2.5)
    note_held()
    assert tab.seconds(13.0) == pytest.approx(4.5)
    tab.back(11.0, 14.0)
    assert tab.seconds(99.0) == pytest.approx(5.5) and tab.in_flight == 0
    assert tab.paid == {"writer": Paid(1, 7, 5, 2, 2.5)} and (tab.calls, tab.held) == (1, 1)


# -- rows under way


def test_by_hand() -> None:
    done = Durations()
    for seconds, cost in ((1.0, 10.0), (2.0, 20.0), (4.0, 40.0)):
        done.add(seconds, [cost, 1.0])
    outlook = done.outlook([1.5])
    assert outlook is not None
    # 1 of 4 at risk ended at 1 s; the one that has waited 1.5 s stands for half a row at 2, at 4
    assert outlook.after(1.5) == pytest.approx([30.0, 1.0])
    assert outlook.after(3.0) == pytest.approx([40.0, 1.0])
    assert outlook.after(0.5) == pytest.approx([0.25 * 10 + 0.375 * 20 + 0.375 * 40, 1.0])
    assert Durations().outlook([1.0]) is None


def test_what_outlasts_all_that_is_done_costs_more_than_they_did() -> None:
    done = Durations()
    for _ in range(20):
        done.add(1.0, [100.0, 1.0])
    outlook = done.outlook([8.0])
    assert outlook is not None
    cost, outcome = outlook.after(8.0)
    assert cost > 800 and outcome == 1.0


@pytest.mark.parametrize("law", ["lognormal", "exponential", "two sorts"])
def test_the_mean_is_right_though_the_long_are_not_done(law: str) -> None:
    """Rows that began at times of their own, all looked at at one moment: 40 % are under way."""
    draw = random.Random(3)
    laws = {
        "lognormal": lambda: math.exp(draw.gauss(0, 0.7)),
        "exponential": lambda: draw.expovariate(1.0),
        "two sorts": lambda: draw.choice((0.3, 2.5)) * draw.uniform(0.9, 1.1),
    }
    took = [laws[law]() for _ in range(20_000)]
    begun = [draw.uniform(-6, 0) if law != "two sorts" else draw.uniform(-4, 0) for _ in took]
    done = Durations()
    for seconds, start in zip(took, begun, strict=True):
        if start + seconds <= 0:
            done.add(seconds, [seconds * 100, 1.0])
    ages = [-start for seconds, start in zip(took, begun, strict=True) if start + seconds > 0]
    outlook = done.outlook(ages)
    assert outlook is not None
    truth = sum(took) / len(took) * 100
    ended = [s for s, start in zip(took, begun, strict=True) if start + s <= 0]
    assert sum(ended) / len(ended) * 100 < 0.93 * truth, "those that are done are the short ones"
    assert outlook.after(0.0)[0] == pytest.approx(truth, rel=0.02)
    expected = sum(outlook.after(a)[0] for a in ages) + sum(ended) * 100
    assert expected == pytest.approx(sum(took) * 100, rel=0.02)


def test_several_onlookers_see_the_same_for_a_moment() -> None:
    cohort = Cohort("writer")
    for number in range(40):
        cohort.let_in(number, 1.0, tab_of(100))
    for number in range(1, 20):
        cohort.done(number, OUT_OF_IT)
    first = cohort.sight(5.0)
    cohort.done(20, OUT_OF_IT)
    assert cohort.sight(5.5) is first
    assert sum(b[ROWS] for b in cohort.sight(6.0).batches) == 21


def test_rows_under_way_stand_there_as_they_are_expected() -> None:
    cohort = Cohort("writer")
    for number in range(31):
        cohort.let_in(number, 2.0, tab_of(100, seconds=2.0) if number else Tab())
    hung = cohort._open[0][1]
    hung.sent(0.0)
    hung.paid["writer"] = Paid(1, 900, 5)
    for number in range(1, 30):
        cohort.done(number, OUT_OF_IT)
    assert cohort.batches == [], "the first has not come home"
    found = cohort.sight(1.0)
    assert found.unfinished == pytest.approx(1 / 30)
    first = found.batches[0]
    assert first[ROWS] == 2
    assert (first[REPLY], first[OUT]) == (pytest.approx(100, rel=0.02), pytest.approx(2, rel=0.02))
    assert first[3] == 900, "no less than it has been paid for"
    assert sum(b[ROWS] for b in found.batches) == 60
    assert sum(b[CALLS] for b in found.batches) == pytest.approx(30, rel=1e-3)


def test_where_most_is_under_way_nothing_is_seen_yet() -> None:
    cohort = Cohort("writer")
    for number in range(100):
        cohort.let_in(number, 1.0, tab_of(100))
    cohort.done(60, OUT_OF_IT)
    assert cohort.sight(5.0).batches == ()
