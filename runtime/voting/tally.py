"""A vote over draws that come one by one, settled by the shortest prefix that decides it.

Self-consistency (Wang et al., arXiv 2203.11171) draws a fixed number of answers and takes the most
frequent one. Whoever counts them in the order of draws knows the outcome before the last: as soon
as no later draw can change it. The same prefix decides whether the later draws exist or not, so a
step that stops there and one that draws them all come to the same ruling.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil

EPSILON = 1e-9
"""What a share of draws may be off by, so that half of 4 is 2."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What is voted on.

    Attributes:
        draws: How many draws a row has, those that give no answer included.
        agree: Share of all draws that the winner needs; 0 for the most frequent, however rare.
        take: How many rows that agree are wanted; None for all, which takes all draws.
        drop: `all_agree`, to drop a row that all its draws agree on; `none_agree`, one of which no
            two do.
    """

    draws: int
    agree: float = 0.0
    take: int | None = 1
    drop: frozenset[str] = frozenset()

    @property
    def needed(self) -> int:
        """Votes that the winner needs."""
        return max(1, ceil(self.agree * self.draws - EPSILON))

    def rule(self, answers: Iterable[str | None]) -> Ruling | None:
        """The ruling of the shortest prefix of answers that decides; None if none does."""
        tally = Tally(self)
        for answer in answers:
            if found := tally.ruling():
                return found
            tally.add(answer)
        return tally.ruling()


@dataclass(frozen=True, slots=True)
class Ruling:
    """How a vote ended.

    Attributes:
        reason: Why no row goes on: `min_agree`, `no_vote`, `all_agree` or `none_agree`; empty where
            there is a winner.
        answer: The winner; None without one.
        votes: How many draws it has.
        draws: Length of the prefix that decided.
    """

    reason: str
    answer: str | None
    votes: int
    draws: int

    @property
    def share(self) -> float:
        """Share of the draws looked at that agree with the winner."""
        return self.votes / self.draws if self.draws else 0.0


@dataclass(slots=True)
class Tally:
    """The votes so far. A draw without an answer (None) counts as a draw that agrees with none."""

    vote: Vote
    drawn: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    """In the order of each answer's first draw, which breaks ties."""

    def add(self, answer: str | None) -> None:
        """Count the next draw."""
        self.drawn += 1
        if answer is not None:
            self.counts[answer] = self.counts.get(answer, 0) + 1

    def ruling(self) -> Ruling | None:
        """The ruling, if no further draw can change it."""
        vote, left = self.vote, self.vote.draws - self.drawn
        leader = max(self.counts, key=self.counts.__getitem__, default=None)
        most = 0 if leader is None else self.counts[leader]
        if reason := self._refusal(most, left):
            return Ruling(reason, None, most, self.drawn)
        wanted = vote.draws if vote.take is None else vote.take
        enough = self.drawn == vote.draws or most >= max(wanted, vote.needed)
        if leader is None or not enough or self._open(most, left):
            return None
        if not self._stands(leader, most, left):
            return None
        return Ruling("", leader, most, self.drawn)

    def least_more(self) -> int:
        """The fewest further draws that could settle the vote; 0 once it is settled.

        Asking for so many at a time asks for none in vain, whatever they turn out to be.
        """
        if self.ruling():
            return 0
        leader = max(self.counts, key=self.counts.__getitem__, default="\x00new")
        left = self.vote.draws - self.drawn
        # The fastest ways to an end: all go to the leader, none has an answer, or the first differs
        # (which takes the chance that all agree) and the others go to the leader.
        futures = ([leader] * left, [None] * left, [None, *[leader] * (left - 1)])
        return min(self._lasts(answers) for answers in futures)

    def _lasts(self, answers: Iterable[str | None]) -> int:
        tally = Tally(self.vote, self.drawn, dict(self.counts))
        for number, answer in enumerate(answers, 1):
            tally.add(answer)
            if tally.ruling():
                return number
        return self.vote.draws - self.drawn

    def _refusal(self, most: int, left: int) -> str:
        """Why nothing can go on any more, if so."""
        vote = self.vote
        if vote.needed > 1 and most + left < vote.needed:
            return "min_agree"
        if vote.draws > 1 and "none_agree" in vote.drop and most + left < 2:
            return "none_agree"
        if most + left < 1:
            return "no_vote"
        if vote.draws > 1 and "all_agree" in vote.drop and most == vote.draws:
            return "all_agree"
        return ""

    def _open(self, most: int, left: int) -> bool:
        """Whether a wish to drop may yet be met."""
        if self.vote.draws == 1 or not left:
            return False
        all_agree = "all_agree" in self.vote.drop and most == self.drawn
        return all_agree or ("none_agree" in self.vote.drop and most < 2)

    def _stands(self, leader: str, most: int, left: int) -> bool:
        """Whether no other answer can pass the leader. Ties go to the one that was drawn first."""
        if left > most:  # one that nobody has given yet
            return False
        before = True
        for answer, count in self.counts.items():
            if answer == leader:
                before = False
            elif count + left > most or (before and count + left == most):
                return False
        return True
