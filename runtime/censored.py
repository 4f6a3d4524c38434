"""What rows that are under way will cost, by how long they have been.

To count only those that are done would count too few of the long ones. Durations of the others are
known to be longer than their ages: the Kaplan-Meier estimate of durations gives each done row the
weight of those like it that are still under way (Efron, "The two sample problem with censored
data", 1967; Stute, "The central limit theorem under random censorship", Annals of Statistics 23,
1995, for means), and a row of some age is expected to cost what done rows of longer durations do.

Durations are kept in buckets of equal ratio, so that all rows since the beginning count and none is
held.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

FINENESS = 20
"""Buckets to a factor of e: each is 5 % wide."""
SHORTEST = 1e-3
"""Seconds; what is done sooner falls into the first bucket."""
LONGER = 1.5
"""By how much rows that outlast all that are done will outlast their age, as a guess: a tail like
that of a lognormal with a spread of 1."""


@dataclass(slots=True)
class Durations:
    """How long rows took that are done, and what they cost.

    Attributes:
        buckets: By bucket: how many rows, and sums of seconds and costs.
    """

    buckets: dict[int, list[float]] = field(default_factory=dict)

    def add(self, seconds: float, costs: Sequence[float]) -> None:
        """Note a row that is done.

        Args:
            seconds: How long it took.
            costs: What it cost; last, what came of it.
        """
        place = _bucket(seconds)
        found = self.buckets.get(place)
        more = [1.0, seconds, *costs]
        self.buckets[place] = (
            more if found is None else [a + b for a, b in zip(found, more, strict=True)]
        )

    def outlook(self, ages: Iterable[float]) -> Outlook | None:
        """What others will cost, given how long they have been under way; None before any is done.

        Args:
            ages: Seconds, of all rows that are not done.
        """
        if not self.buckets:
            return None
        waiting: dict[int, int] = {}
        for age in ages:
            waiting[_bucket(age)] = waiting.get(_bucket(age), 0) + 1
        return Outlook(self.buckets, waiting)


class Outlook:
    """What a row of some age will have cost when it is done."""

    def __init__(self, done: dict[int, list[float]], waiting: dict[int, int]) -> None:
        """The estimate.

        Args:
            done: By bucket, as in `Durations`.
            waiting: Rows under way by the bucket of their age.
        """
        places = sorted({*done, *waiting})
        at_risk = sum(d[0] for d in done.values()) + sum(waiting.values())
        mass, found = 1.0, list[tuple[int, float]]()
        for place in places:
            ended, left = done.get(place, [0.0])[0], waiting.get(place, 0)
            # Of those that wait in the same bucket half have been for less than the done ones took.
            share = ended / max(at_risk - left / 2, ended, 1e-12)
            if ended:
                found.append((place, mass * share))
            mass *= 1 - share
            at_risk -= ended + left
        self._places = [place for place, _ in found]
        self._done = done
        self._last = [v / done[self._places[-1]][0] for v in done[self._places[-1]]][1:]
        # From the longest bucket down: the weight of all that takes longer, and its sums.
        self._weights, self._sums = [mass], [[mass * v for v in self._outlasting()]]
        for place, weight in reversed(found):
            each = [v / done[place][0] for v in done[place][1:]]
            self._weights.append(self._weights[-1] + weight)
            pairs = zip(self._sums[-1], each, strict=True)
            self._sums.append([a + weight * b for a, b in pairs])

    def after(self, age: float) -> list[float]:
        """The mean costs of rows that take longer than an age, in seconds."""
        place = _bucket(age)
        above = len(self._places) - bisect_right(self._places, place)
        weight, sums = self._weights[above], self._sums[above]
        if place in self._done:  # half of its own bucket is longer
            weight = (weight + self._weights[above + 1]) / 2
            sums = [(a + b) / 2 for a, b in zip(sums, self._sums[above + 1], strict=True)]
        if weight <= 1e-9:
            sums, weight = self._outlasting(age), 1.0
        mean = [s / weight for s in sums]
        if mean[0] < age:
            mean = self._outlasting(age)
        return mean[1:]

    def _outlasting(self, age: float = 0.0) -> list[float]:
        """Seconds and costs of rows that outlast all that are done: costs grow with the time.

        The last of them is what comes of a row, and does not.
        """
        seconds = max(self._last[0], age) * LONGER
        grown = seconds / max(self._last[0], 1e-12)
        *costs, outcome = self._last[1:]
        return [seconds, *(v * grown for v in costs), outcome]


def _bucket(seconds: float) -> int:
    return math.floor(math.log(max(seconds, SHORTEST)) * FINENESS)
