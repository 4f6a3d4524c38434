"""Which draws of a group go on, and what a hole among them leaves open."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mashbill.runtime.outcome import Outcome
from mashbill.runtime.voting.answers import answer_of
from mashbill.runtime.voting.choice import Draw, Rule, choose
from mashbill.runtime.voting.holes import Hole, Holes
from mashbill.runtime.voting.stops import Accepted, stop_of
from mashbill.runtime.voting.tally import Vote


def rows(answers: str, ranks: list[float | None] | None = None) -> list[Draw]:
    """A draw a character; `_` gives no answer, a space is no row."""
    given = ranks or [None] * len(answers)
    return [Draw(i, None if a == "_" else a, given[i]) for i, a in enumerate(answers) if a != " "]


def reasons(answers: str, rule: Rule, ranks: list[float | None] | None = None) -> list[str]:
    found = choose(rows(answers, ranks), rule)
    assert found is not None
    return list(found.reasons)


def test_without_anything_the_lowest_draw_goes_on() -> None:
    assert reasons(" xx", Rule()) == ["", "not_best"]
    assert reasons("xxx", Rule(take=2)) == ["", "", "not_best"]
    assert reasons("xxx", Rule(take=None)) == ["", "", ""]


def test_the_largest_rank_goes_on_and_ties_go_to_the_lowest_draw() -> None:
    assert reasons("xxx", Rule(ranked=True), [1, 3, 3]) == ["not_best", "", "not_best"]
    nan = float("nan")
    assert reasons("xxx", Rule(ranked=True), [None, nan, -9.0]) == ["not_best", "not_best", ""]
    assert reasons("xx", Rule(ranked=True), [None, None]) == ["", "not_best"]


def test_a_vote_names_why_each_row_stays_behind() -> None:
    rule = Rule(Vote(8))
    assert reasons("ab_aaaba", rule) == [
        "", "outvoted", "no_vote", "not_best", "not_best", "not_best", "late", "late"
    ]  # fmt: skip


def test_the_best_is_sought_among_those_that_agree_in_the_prefix() -> None:
    rule = Rule(Vote(5), ranked=True)
    found = reasons("abaaa", rule, [1, 9, 2, 1, 8])
    assert found == ["not_best", "outvoted", "", "not_best", "late"]


def test_a_group_that_is_refused_has_one_reason() -> None:
    assert reasons("abcd", Rule(Vote(4, agree=0.75))) == ["min_agree"] * 4


def test_a_row_that_was_never_sampled_votes_alone() -> None:
    found = choose([Draw(None, "a")], Rule(Vote(8, agree=0.5)))
    assert found is not None and found.accepted
    assert found.ruling is not None and found.ruling.share == 1.0


def test_draws_that_were_dropped_count_as_draws_that_do_not_agree() -> None:
    found = choose(rows("a a     "), Rule(Vote(8, agree=0.5)))
    assert found is not None and not found.accepted
    found = choose(rows("a a aa  "), Rule(Vote(8, agree=0.5)))
    assert found is not None and found.accepted
    assert found.ruling is not None
    assert (found.ruling.votes, found.ruling.draws) == (4, 6)


@pytest.mark.parametrize(
    ("answers", "rule", "hole", "settled"),
    [
        ("aaaa x", Rule(Vote(6)), 4, True),
        ("aa  aa", Rule(Vote(6)), 2, False),
        ("abc aa", Rule(Vote(6, agree=1.0)), 3, True),  # it cannot reach it any more
        ("xx x", Rule(), 2, True),
        (" x x", Rule(), 0, False),
        ("xx x", Rule(take=3), 2, False),
        ("xx x", Rule(take=None), 2, False),
        ("xx x", Rule(ranked=True), 2, False),
    ],
)
def test_a_hole_is_waited_for_unless_the_draws_before_it_decide(
    answers: str, rule: Rule, hole: int, settled: bool
) -> None:
    assert (choose(rows(answers), rule, hole) is not None) == settled


@given(
    st.text("abc_ ", min_size=6, max_size=6),
    st.sampled_from([Rule(), Rule(take=2), Rule(Vote(6)), Rule(Vote(6, agree=0.5))]),
    st.integers(0, 5),
)
def test_what_is_decided_before_a_hole_stands_whatever_fills_it(
    answers: str, rule: Rule, hole: int
) -> None:
    known = answers[:hole] + " " + answers[hole + 1 :]
    early = choose(rows(known), rule, hole)
    if early is None:
        return
    whole = choose(rows(answers), rule)
    assert whole is not None
    kept = {r.number for r, why in zip(rows(known), early.reasons, strict=True) if not why}
    assert kept == {
        r.number for r, why in zip(rows(answers), whole.reasons, strict=True) if not why
    }


def test_holes_are_counted_as_the_step_counts_draws_that_asks() -> None:
    holes = Holes()
    holes.note("verify", {"_order": 7, "_draw": 3}, pending=False)
    holes.note("verify", {"_order": 7, "_draw": 5}, pending=True)
    holes.note("other", {"_order": 7}, pending=False)
    assert holes.first(7, {"verify": 2}) == Hole(6, True)
    assert holes.first(7, {"verify": 1, "other": 4}) == Hole(0, True)
    assert holes.first(7, {"further": 1}) is None
    assert holes.first(8, {"verify": 1}) is None


def test_what_makes_two_answers_one_vote() -> None:
    assert answer_of(" 42 ", "text") == answer_of("42", "text")
    assert answer_of(3, "answer") == answer_of(3.0, "answer")
    assert answer_of(None, "answer") is None
    assert answer_of("  ", "text") is None
    assert answer_of(True, "text") == answer_of(True, "answer")
    assert answer_of("1/2", "text") != answer_of("0.5", "text")
    assert answer_of("1/2", "answer") == answer_of(" $0.5$", "answer")
    assert answer_of("1/2", "answer") != answer_of("0.49", "answer")
    assert answer_of(2**60, "text") != answer_of(2**60 + 1, "text")


# -- until so many are accepted


def outcomes(ends: str) -> list[Outcome]:
    return [
        Outcome("out" if e == "+" else "rejected", ({},), reason="" if e == "+" else "wrong")
        for e in ends
    ]


def waves(stop: Accepted, ends: str) -> list[int]:
    """How many draws are asked for, wave by wave, where they end as they do here."""
    asked: list[int] = []
    while more := stop.more(outcomes(ends[: sum(asked)])):
        asked.append(more)
    return asked


def test_draws_are_asked_for_until_enough_are_accepted() -> None:
    assert waves(Accepted(8, 3), "+++") == [3]
    assert waves(Accepted(8, 3), "--+-++++") == [3, 2, 1]
    assert waves(Accepted(8, 3), "--------") == [3, 3, 2]


def test_hard_rows_are_to_have_more_of_them() -> None:
    hard = Accepted(20, 6, pilot=4)
    assert [hard.goal(outcomes(e)) for e in ("++++", "+++-", "++--", "+---", "----")] == [
        1, 2, 3, 5, 6,
    ]  # fmt: skip
    assert waves(hard, "++++") == [4]
    assert waves(hard, "-+--" + "+" * 9) == [4, 4]


def test_a_pilot_that_has_more_than_enough_keeps_the_first() -> None:
    kept = Accepted(20, 4, pilot=4).kept(outcomes("+-++"))
    assert [o.reason for o in kept] == ["", "wrong", "enough", "enough"]


def test_a_stop_is_made_of_what_was_bound() -> None:
    assert stop_of(None, 5).more([]) == 5
    assert stop_of({"accepted": 2, "pilot": 0}, 5) == Accepted(5, 2)
    decided = stop_of({"vote": "answer", "agree": 0.5, "compare": "text", "take": 1, "drop": []}, 8)
    draws = [Outcome("out", ({"answer": a},)) for a in ("x", "x ", " x")]
    assert decided.more([]) == 4
    assert decided.more(draws) == 1
