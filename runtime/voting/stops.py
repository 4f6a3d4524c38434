"""When a row has been drawn often enough. Each stop looks at the draws so far, in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Protocol

from ..outcome import Outcome
from .answers import Compare, answer_of
from .tally import Tally, Vote


class Stop(Protocol):
    """Decides how many draws a row takes."""

    def more(self, drawn: Sequence[Outcome]) -> int:
        """How many draws to ask for next; 0 when there are enough.

        Never more than must be drawn whatever they turn out to be, so that none is paid in vain.
        """
        ...

    def kept(self, drawn: Sequence[Outcome]) -> tuple[Outcome, ...]:
        """What goes on, given all draws."""
        ...


def stop_of(until: Mapping[str, Any] | None, samples: int) -> Stop:
    """The stop that a bound `until:` asks for.

    Args:
        until: None, `{ accepted, spread, pilot }` or `{ vote, agree, compare, take, drop }`.
        samples: The most draws of a row.
    """
    if until is None:
        return Whole(samples)
    if "accepted" in until:
        return Accepted(samples, until["accepted"], until["pilot"])
    vote = Vote(samples, until["agree"], until["take"], frozenset(until["drop"]))
    return Decided(vote, until["vote"], until["compare"])


@dataclass(frozen=True, slots=True)
class Whole:
    """All samples, always."""

    samples: int

    def more(self, drawn: Sequence[Outcome]) -> int:
        """All at once."""
        return self.samples - len(drawn)

    def kept(self, drawn: Sequence[Outcome]) -> tuple[Outcome, ...]:
        """All of them."""
        return tuple(drawn)


@dataclass(frozen=True, slots=True)
class Accepted:
    """Until so many draws have passed the step's checks.

    Attributes:
        samples: The most draws of a row.
        wanted: Accepted draws of a row, or of one that fails its whole pilot.
        pilot: 0 for as many of each row; else the draws that its failure rate is estimated from.
    """

    samples: int
    wanted: int
    pilot: int = 0

    def goal(self, drawn: Sequence[Outcome]) -> int:
        """How many accepted draws this row should have.

        With a pilot, `max(1, ceil(wanted * failed / pilot))`, `failed` counted over the first
        `pilot` draws: in proportion to the failure rate, and at least one, as in Prop2Diff of
        DART-Math (arXiv 2407.13690), where the failure rate comes from a run of its own.
        """
        if not self.pilot:
            return self.wanted
        failed = self.pilot - _accepted(drawn[: self.pilot])
        return max(1, ceil(self.wanted * failed / self.pilot))

    def more(self, drawn: Sequence[Outcome]) -> int:
        """The pilot first, then as many as are lacking."""
        if len(drawn) < self.pilot:
            return min(self.pilot, self.samples) - len(drawn)
        lacking = max(0, self.goal(drawn) - _accepted(drawn))
        return min(lacking, self.samples - len(drawn))

    def kept(self, drawn: Sequence[Outcome]) -> tuple[Outcome, ...]:
        """The first accepted draws; a pilot may have had more of them."""
        left, kept = self.goal(drawn), list[Outcome]()
        for outcome in drawn:
            if outcome.end == "out":
                left -= 1
            spare = outcome.end == "out" and left < 0
            kept.append(replace(outcome, end="rejected", reason="enough") if spare else outcome)
        return tuple(kept)


def _accepted(drawn: Sequence[Outcome]) -> int:
    return sum(outcome.end == "out" for outcome in drawn)


@dataclass(frozen=True, slots=True)
class Decided:
    """Until no further draw can change how a vote over a column ends."""

    vote: Vote
    column: str
    compare: Compare

    def more(self, drawn: Sequence[Outcome]) -> int:
        """The fewest that could settle it."""
        tally = Tally(self.vote)
        for outcome in drawn:
            tally.add(self._answer(outcome))
        return tally.least_more()

    def kept(self, drawn: Sequence[Outcome]) -> tuple[Outcome, ...]:
        """All of them: `select` says which have won."""
        return tuple(drawn)

    def _answer(self, outcome: Outcome) -> str | None:
        if outcome.end != "out":
            return None
        return answer_of(outcome.rows[0].get(self.column), self.compare)
