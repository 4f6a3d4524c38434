"""Votes on yes or no that stop as soon as they are decided.

The votes count in the order of their draws, whatever order they come in, and the shortest prefix
that decides is all that is looked at: asking for fewer at a time, or for more, changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence


def is_decided(votes: Sequence[bool | None], of: int) -> bool:
    """Whether no further vote can change the majority.

    Args:
        votes: In the order of their draws; None for a reply that says nothing.
        of: How many there are to be at most.

    >>> [is_decided(v, 3) for v in ([True], [True, True], [True, False], [None, True, False])]
    [False, True, False, True]
    """
    return fewest_more(votes, of) == 0


def fewest_more(votes: Sequence[bool | None], of: int) -> int:
    """How many more votes are needed at least before it can be decided; 0 where it is.

    A tie is no majority, so it takes one vote more to say yes than to say no.

    >>> fewest_more([], 5), fewest_more([True, True, False], 5), fewest_more([None], 3)
    (3, 1, 1)
    """
    left = of - len(votes)
    yes, no = votes.count(True), votes.count(False)
    to_pass = (left + no - yes) // 2 + 1
    to_fail = (left + yes - no + 1) // 2
    return max(0, min(left, to_pass, to_fail))


def deciding(votes: Sequence[bool | None], of: int) -> int:
    """Length of the shortest prefix that decides; all votes, where none does.

    >>> deciding([True, True, False], 3)
    2
    """
    return next((n for n in range(len(votes) + 1) if is_decided(votes[:n], of)), len(votes))


def majority(votes: Sequence[bool | None]) -> bool:
    """Whether more say yes than no."""
    return votes.count(True) > votes.count(False)


def agreement(votes: Sequence[bool | None]) -> float:
    """Share of those that say something who say what the majority says; 0 where nobody does."""
    said = [v for v in votes if v is not None]
    return max(said.count(True), said.count(False)) / len(said) if said else 0.0
