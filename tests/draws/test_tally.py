"""The vote: the shortest prefix decides, and says what all draws would have said."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mashbill.runtime.voting.tally import Ruling, Tally, Vote

ANSWERS = ("a", "b", "c", "d", None)


def outcome(vote: Vote, answers: tuple[str | None, ...]) -> tuple[str, str | None]:
    """Reason and winner where all draws are there, counted plainly."""
    given = [a for a in answers if a is not None]
    most = max(map(given.count, given), default=0)
    if most < vote.needed and vote.needed > 1:
        return "min_agree", None
    if vote.draws > 1 and most < 2 and "none_agree" in vote.drop:
        return "none_agree", None
    if not given:
        return "no_vote", None
    if vote.draws > 1 and most == vote.draws and "all_agree" in vote.drop:
        return "all_agree", None
    return "", next(a for a in given if given.count(a) == most)


def shown(ruling: Ruling | None) -> tuple[str, str | None] | None:
    return None if ruling is None else (ruling.reason, ruling.answer)


def tally_of(vote: Vote, answers: tuple[str | None, ...]) -> Tally:
    tally = Tally(vote)
    for answer in answers:
        tally.add(answer)
    return tally


votes = st.builds(
    Vote,
    st.integers(1, 5),
    st.sampled_from([0.0, 0.25, 0.5, 0.6, 1.0]),
    st.sampled_from([1, 2, None]),
    st.sets(st.sampled_from(["all_agree", "none_agree"])).map(frozenset),
)


@settings(max_examples=150, deadline=None)
@given(votes, st.data())
def test_a_ruling_comes_as_soon_as_no_further_draw_can_change_it(
    vote: Vote, data: st.DataObject
) -> None:
    answers = tuple(data.draw(st.lists(st.sampled_from((*ANSWERS[:3], None)), max_size=vote.draws)))
    left = vote.draws - len(answers)
    found = tally_of(vote, answers).ruling()
    ends = {outcome(vote, (*answers, *more)) for more in product(ANSWERS, repeat=left)}
    if found is not None:
        assert ends == {shown(found)}
        assert found.draws == len(answers)
        if found.answer is not None:
            assert found.votes == answers.count(found.answer)
    elif len(ends) == 1:
        # All that is lacking is rows to take.
        ((reason, winner),) = ends
        wanted = vote.draws if vote.take is None else vote.take
        assert not reason and answers.count(winner) < wanted


@settings(max_examples=150, deadline=None)
@given(votes, st.data())
def test_waves_ask_for_what_is_needed_in_any_case(vote: Vote, data: st.DataObject) -> None:
    answers = tuple(data.draw(st.lists(st.sampled_from(ANSWERS), max_size=vote.draws)))
    tally = tally_of(vote, answers)
    least = next(
        count
        for count in range(vote.draws - len(answers) + 1)
        for more in product(ANSWERS, repeat=count)
        if tally_of(vote, (*answers, *more)).ruling()
    )
    assert tally.least_more() == least


@given(votes, st.lists(st.sampled_from(ANSWERS), min_size=5, max_size=5))
def test_drawing_in_waves_ends_where_the_shortest_prefix_does(
    vote: Vote, answers: list[str | None]
) -> None:
    ruling = vote.rule(answers[: vote.draws])
    assert ruling is not None
    tally = Tally(vote)
    while more := tally.least_more():
        for _ in range(more):
            tally.add(answers[tally.drawn])
    assert tally.ruling() == ruling
    assert tally.drawn == ruling.draws


@pytest.mark.parametrize(
    ("answers", "vote", "ruling"),
    [
        ("aaaaabbb", Vote(8), ("", "a", 4, 4)),
        ("abababab", Vote(8), ("", "a", 4, 7)),  # the tie of 4 and 4 goes to the first
        ("bbaaaaaa", Vote(8), ("", "a", 5, 7)),
        ("aaaabcde", Vote(8, agree=0.5), ("", "a", 4, 4)),
        ("abcdabcd", Vote(8, agree=0.75), ("min_agree", None, 1, 4)),
        ("aaaaaaaa", Vote(8, drop=frozenset({"all_agree"})), ("all_agree", None, 8, 8)),
        ("aaaab___", Vote(8, drop=frozenset({"all_agree"})), ("", "a", 4, 5)),
        ("abcd", Vote(4, drop=frozenset({"none_agree"})), ("none_agree", None, 1, 4)),
        ("____", Vote(4), ("no_vote", None, 0, 4)),
        ("____", Vote(4, agree=0.5), ("min_agree", None, 0, 3)),
        ("aaabbbbb", Vote(8, take=5), ("", "b", 5, 8)),
        ("aaaaaaab", Vote(8, take=6), ("", "a", 6, 6)),
        ("aaaaaaab", Vote(8, take=None), ("", "a", 7, 8)),
        ("a", Vote(1, agree=1.0, drop=frozenset({"all_agree", "none_agree"})), ("", "a", 1, 1)),
    ],
)
def test_examples(answers: str, vote: Vote, ruling: tuple[str, str | None, int, int]) -> None:
    found = vote.rule([None if a == "_" else a for a in answers])
    assert found == Ruling(*ruling)


def test_half_of_four_is_two_in_floating_point_too() -> None:
    assert Vote(10, agree=0.1 + 0.2).needed == 3
    assert Vote(8, agree=0.5).needed == 4
    assert Vote(8).needed == 1


def test_an_undecided_prefix_has_no_ruling() -> None:
    assert Vote(8).rule("aab") is None
