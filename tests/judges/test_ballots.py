"""Votes stop as soon as they are decided, and never too early."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest

from mashbill.runtime.scoring.ballots import agreement, deciding, fewest_more, is_decided, majority

VOTES = (True, False, None)
CASES = [
    (of, list(v)) for of in (1, 2, 3, 5) for k in range(of + 1) for v in product(VOTES, repeat=k)
]


def endings(votes: Sequence[bool | None], of: int) -> set[bool]:
    """Every majority that the votes can still end in."""
    return {majority([*votes, *rest]) for rest in product(VOTES, repeat=of - len(votes))}


def test_decided_is_when_nothing_can_change() -> None:
    for of, votes in CASES:
        assert is_decided(votes, of) == (len(endings(votes, of)) == 1), (votes, of)


def test_no_vote_is_asked_for_that_could_not_be_needed() -> None:
    for of, votes in CASES:
        more = fewest_more(votes, of)
        for fewer in range(more):
            assert not any(is_decided([*votes, *v], of) for v in product(VOTES, repeat=fewer))
        decided = any(is_decided([*votes, *v], of) for v in product(VOTES, repeat=more))
        assert more == 0 or decided, (votes, of)


def test_the_prefix_that_decides_says_what_all_say() -> None:
    for of, votes in CASES:
        if len(votes) < of:
            continue
        least = deciding(votes, of)
        assert majority(votes[:least]) == majority(votes)
        assert not any(is_decided(votes[:n], of) for n in range(least))


def test_agreement_is_of_those_who_say_something() -> None:
    assert agreement([True, None, False, True]) == pytest.approx(2 / 3)
    assert agreement([None]) == 0.0
