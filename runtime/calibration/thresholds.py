"""The threshold that meets a wanted precision with the most good rows kept, and how sure that is.

It is chosen on all rows. What is to be expected of it is measured on rows that it was not chosen
on: in each of five folds on what the other four choose. Rows of one group share a fold.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import xxhash

from .figures import Judged, precision, precision_interval
from .rates import Rate

FOLDS = 5

MOST = 200
"""Values of the evidence that are tried as thresholds."""

Keeps = Mapping[float, Sequence[bool]]
"""Threshold to whether each row is kept under it; rows in one order for all."""


@dataclass(frozen=True, slots=True)
class Point:
    """What a threshold keeps of the rows."""

    at: float
    phi: Rate
    psi: Rate

    def precision(self, wrong: float) -> float | None:
        """See `figures.precision`."""
        return precision(self.phi.share, self.psi.share, wrong)

    def precision_interval(self, wrong: float) -> tuple[float, float]:
        """See `figures.precision_interval`."""
        return precision_interval(self.phi, self.psi, wrong)


@dataclass(frozen=True, slots=True)
class Choice:
    """A threshold.

    Attributes:
        by: What it is a threshold of: a parameter, or a field of the evidence with `>=` or `<=`.
        wanted: The precision that was asked for.
        wrong: The share of bad rows in the pool that it is for.
        met: Whether it meets the precision on the rows that it was chosen on.
        best: The threshold with what it keeps of them.
        held_out: What the folds' thresholds keep of rows that they were not chosen on.
        folds: Each fold's threshold.
        points: All thresholds that were tried.
    """

    by: str
    wanted: float
    wrong: float
    met: bool
    best: Point
    held_out: Point
    folds: tuple[float, ...]
    points: tuple[Point, ...]


def choose(
    by: str, judged: Sequence[Judged], keeps: Keeps, *, wanted: float, wrong: float | None = None
) -> Choice:
    """Choose a threshold, and measure the choice.

    Args:
        by: What it is of, for people.
        judged: The rows; their labels and groups are looked at.
        keeps: What each threshold keeps of them.
        wanted: The least precision.
        wrong: The share of bad rows in the pool; None for that of the rows.
    """
    good = [one.example.good for one in judged]
    share = wrong if wrong is not None else good.count(False) / len(good)
    whole = range(len(good))
    best, met = _best(keeps, good, whole, wanted, share)
    folds = folds_of(judged)
    chosen: list[float] = []
    kept = [False] * len(good)
    for fold in range(FOLDS):
        held = [i for i in whole if folds[i] == fold]
        rest = [i for i in whole if folds[i] != fold]
        if not held or not rest:
            continue
        point, _ = _best(keeps, good, rest, wanted, share)
        chosen.append(point.at)
        for i in held:
            kept[i] = keeps[point.at][i]
    held_out = _point(best.at, kept, good, whole)
    points = tuple(_point(at, keeps[at], good, whole) for at in sorted(keeps))
    return Choice(by, wanted, share, met, best, held_out, tuple(chosen), points)


def _best(
    keeps: Keeps, good: Sequence[bool], rows: Sequence[int], wanted: float, wrong: float
) -> tuple[Point, bool]:
    """Of the thresholds that meet the precision the one that keeps most good rows.

    Where none does, the most precise one. Of equals the one in the middle, which leaves most room
    on either side.
    """
    points = [_point(at, keeps[at], good, rows) for at in sorted(keeps)]
    met = [p for p in points if (found := p.precision(wrong)) is not None and found >= wanted]
    if met:
        most = max(p.phi.kept for p in met)
        equal = [p for p in met if p.phi.kept == most]
        sharp = min(p.psi.kept for p in equal)
        equal = [p for p in equal if p.psi.kept == sharp]
        return equal[len(equal) // 2], True
    found = max(p.precision(wrong) or 0.0 for p in points)
    equal = [p for p in points if (p.precision(wrong) or 0.0) == found]
    return max(equal, key=lambda p: p.phi.kept), False


def _point(at: float, kept: Sequence[bool], good: Sequence[bool], rows: Sequence[int]) -> Point:
    counts = {True: [0, 0], False: [0, 0]}
    for i in rows:
        of = counts[good[i]]
        of[0] += kept[i]
        of[1] += 1
    return Point(at, Rate(*counts[True]), Rate(*counts[False]))


def folds_of(judged: Sequence[Judged]) -> list[int]:
    """A fold for each row, the same for all of a group, good and bad spread evenly.

    Groups go round the folds in the order of a hash, those with good rows first, so that each fold
    gets its part of both.
    """
    groups: dict[str, list[int]] = {}
    for i, one in enumerate(judged):
        groups.setdefault(one.example.group, []).append(i)

    def order(group: str) -> tuple[int, int]:
        number = sum(judged[i].example.good for i in groups[group])
        return -number, xxhash.xxh3_64_intdigest(group.encode())

    found = [0] * len(judged)
    for number, group in enumerate(sorted(groups, key=order)):
        for i in groups[group]:
            found[i] = number % FOLDS
    return found


def keeps_by_evidence(
    judged: Sequence[Judged], field: str, sign: str | None = None
) -> tuple[str, dict[float, list[bool]]]:
    """What thresholds of a number in the evidence keep; the field alone decides.

    A row without the number keeps the check's own verdict.

    Args:
        judged: The rows.
        field: The field.
        sign: `>=` or `<=`; None for the one by which good rows come first more often.

    Returns:
        The sign, and the thresholds: every value that a row has, thinned out to 200.
    """
    values = [_number(one.evidence.get(field)) for one in judged]
    known = sorted({v for v in values if v is not None})
    if len(known) > MOST:
        known = sorted({known[i * (len(known) - 1) // (MOST - 1)] for i in range(MOST)})
    sign = sign or (">=" if _rises(judged, values) else "<=")
    above = operator.ge if sign == ">=" else operator.le
    keeps = {
        at: [
            bool(one.kept) if value is None else above(value, at)
            for one, value in zip(judged, values, strict=True)
        ]
        for at in known
    }
    return sign, keeps


def _rises(judged: Sequence[Judged], values: Sequence[float | None]) -> bool:
    """Whether good rows have the higher numbers: the area under the curve is at least a half."""
    pairs = sorted(
        (v, one.example.good) for v, one in zip(values, judged, strict=True) if v is not None
    )
    good = sum(is_good for _, is_good in pairs)
    wins, below, i = 0.0, 0, 0
    while i < len(pairs):  # of equal numbers each is worth half
        j = i
        while j < len(pairs) and pairs[j][0] == pairs[i][0]:
            j += 1
        goods = sum(is_good for _, is_good in pairs[i:j])
        bads = j - i - goods
        wins += goods * (below + bads / 2)
        below += bads
        i = j
    return wins >= good * (len(pairs) - good) / 2


def numbers_in(evidence: Mapping[str, Any]) -> list[str]:
    """The fields that a threshold can be of."""
    return [name for name, value in evidence.items() if _number(value) is not None]


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)
