"""Which draws of one source row go on: the vote, then the best of those that agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, isnan

from .tally import Ruling, Vote


@dataclass(frozen=True, slots=True)
class Draw:
    """One row of a group.

    Attributes:
        number: Its `_draw`; None for a row that was never sampled.
        answer: What it votes for; None for nothing, or where there is no vote.
        rank: Of its `by:`, the larger the better; None where there is none.
    """

    number: int | None
    answer: str | None = None
    rank: float | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """How to choose.

    Attributes:
        vote: None where nothing is voted on.
        ranked: Whether rows have ranks.
        take: How many go on; None for all.
    """

    vote: Vote | None = None
    ranked: bool = False
    take: int | None = 1


@dataclass(frozen=True, slots=True)
class Choice:
    """What became of a group: per row the reason why it does not go on, empty where it does."""

    reasons: tuple[str, ...]
    ruling: Ruling | None = None

    @property
    def accepted(self) -> bool:
        """Whether any row goes on."""
        return "" in self.reasons


def choose(rows: Sequence[Draw], rule: Rule, hole: int | None = None) -> Choice | None:
    """Choose among the rows of a group.

    Args:
        rows: In order of draws.
        rule: How.
        hole: The first draw that is not there yet; None where all have come or were rejected.

    Returns:
        The choice; None where it rests on the hole.
    """
    if rule.vote is None:
        return _best(rows, dict.fromkeys(range(len(rows)), ""), rule, hole)
    ruling = _ruling(rows, rule.vote, hole)
    if ruling is None:
        return None
    reasons = {i: _reason(row, ruling) for i, row in enumerate(rows)}
    chosen = _best(rows, reasons, rule, None)
    return None if chosen is None else replace(chosen, ruling=ruling)


def _ruling(rows: Sequence[Draw], vote: Vote, hole: int | None) -> Ruling | None:
    if all(row.number is None for row in rows):  # a `when:` let it pass without sampling
        vote = replace(vote, draws=1)
    answers: list[str | None] = [None] * vote.draws
    for row in rows:
        if (row.number or 0) < vote.draws:
            answers[row.number or 0] = row.answer
    return vote.rule(answers if hole is None else answers[:hole])


def _reason(row: Draw, ruling: Ruling) -> str:
    if ruling.reason:
        return ruling.reason
    if (row.number or 0) >= ruling.draws:
        return "late"
    if row.answer is None:
        return "no_vote"
    return "" if row.answer == ruling.answer else "outvoted"


def _best(
    rows: Sequence[Draw], reasons: dict[int, str], rule: Rule, hole: int | None
) -> Choice | None:
    """The best of the rows that have no reason against them; ties by the lowest draw."""
    left = [i for i, reason in reasons.items() if not reason]
    if hole is not None:
        # Without ranks the lowest draws are taken, and those before the hole may be enough.
        known = [i for i in left if (rows[i].number or 0) < hole]
        if rule.ranked or rule.take is None or len(known) < rule.take:
            return None
    order = sorted(left, key=lambda i: (-_rank(rows[i]), rows[i].number or 0, i))
    taken = order if rule.take is None else order[: rule.take]
    spare = dict.fromkeys(set(left) - set(taken), "not_best")
    return Choice(tuple({**reasons, **spare}[i] for i in range(len(rows))))


def _rank(row: Draw) -> float:
    return -inf if row.rank is None or isnan(row.rank) else row.rank
