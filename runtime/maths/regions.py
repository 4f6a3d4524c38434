"""Parts of the real line, as disjoint ranges in order, so that equal parts look equal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from .algebra import UnreadError, Value, atom, equal_values
from .forms import Interval, Region, Relation
from .showing import approximate

INFINITY = atom("oo")
MINUS_INFINITY = -INFINITY
LINE = (Interval(MINUS_INFINITY, INFINITY, False, False),)


def compare_numbers(a: Value, b: Value) -> int:
    """-1, 0 or 1 as a is less than, equal to or more than b.

    Raises:
        UnreadError: If they are no real numbers, or too close to tell.
    """
    if a == b or equal_values(a, b):
        return 0
    left, right = approximate(a), approximate(b)
    if left is None or right is None:
        raise UnreadError("an end that is no number")
    if math.isfinite(left) and math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-12):
        raise UnreadError("two ends too close to tell apart")
    return -1 if left < right else 1


def interval(low: Value, high: Value, low_in: bool, high_in: bool) -> tuple[Interval, ...]:
    """A range; empty if its ends say so."""
    order = compare_numbers(low, high)
    infinite = (MINUS_INFINITY, INFINITY)
    low_in, high_in = low_in and low not in infinite, high_in and high not in infinite
    if order > 0 or (order == 0 and not (low_in and high_in)):
        return ()
    return (Interval(low, high, low_in, high_in),)


def related(relation: Relation, bound: Value) -> tuple[Interval, ...]:
    """The numbers that stand in a relation to a bound."""
    if relation == "!=":
        return union([*related("<", bound), *related(">", bound)])
    if relation[0] == "<":
        return interval(MINUS_INFINITY, bound, False, relation == "<=")
    return interval(bound, INFINITY, relation == ">=", False)


def union(ranges: Iterable[Interval]) -> tuple[Interval, ...]:
    """Ranges joined where they meet, in order."""
    rest = list(ranges)
    made: list[Interval] = []
    while rest:
        first = rest[0]
        for other in rest[1:]:
            order = compare_numbers(other.low, first.low)
            if order < 0 or (order == 0 and other.low_in and not first.low_in):
                first = other
        rest.remove(first)
        if made and _meet(made[-1], first):
            made[-1] = _joined(made[-1], first)
        else:
            made.append(first)
    return tuple(made)


def _meet(a: Interval, b: Interval) -> bool:
    order = compare_numbers(b.low, a.high)
    return order < 0 or (order == 0 and (a.high_in or b.low_in))


def _joined(a: Interval, b: Interval) -> Interval:
    order = compare_numbers(a.high, b.high)
    high, high_in = (b.high, b.high_in) if order < 0 else (a.high, a.high_in)
    if order == 0:
        high_in = a.high_in or b.high_in
    return Interval(a.low, high, a.low_in, high_in)


def intersection(a: Sequence[Interval], b: Sequence[Interval]) -> tuple[Interval, ...]:
    """What two parts share."""
    made: list[Interval] = []
    for one in a:
        for two in b:
            low, high = compare_numbers(one.low, two.low), compare_numbers(one.high, two.high)
            start = two if low < 0 else one
            end = one if high < 0 else two
            low_in = one.low_in and two.low_in if low == 0 else start.low_in
            high_in = one.high_in and two.high_in if high == 0 else end.high_in
            made += interval(start.low, end.high, low_in, high_in)
    return union(made)


def without(a: Sequence[Interval], points: Iterable[Value]) -> tuple[Interval, ...]:
    """A part less some points."""
    made = tuple(a)
    for point in points:
        made = intersection(made, related("!=", point))
    return made


def same_region(a: Region, b: Region) -> bool:
    """Whether two parts are equal; a variable that both name must be the same."""
    if a.variable and b.variable and a.variable != b.variable:
        return False
    return len(a.ranges) == len(b.ranges) and all(
        (x.low_in, x.high_in) == (y.low_in, y.high_in)
        and compare_numbers(x.low, y.low) == 0
        and compare_numbers(x.high, y.high) == 0
        for x, y in zip(a.ranges, b.ranges, strict=True)
    )
