"""What a breaker asks of the rows of a step: an expression over rates, and its value.

The language is that of all expressions, without functions, since there is one number for each name
and no row. So its value needs no polars: the compiler finds out whether a breaker can trip at all,
and the runtime asks it row after row.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise, product
from typing import TypeAlias

from .expr import Expr
from .expr.nodes import (
    Arithmetic,
    Column,
    Compare,
    Constant,
    IfElse,
    IsNull,
    Logic,
    Negate,
    Not,
    walk,
)

RATES = ("rejected", "errors", "accepted", "truncated")
"""Shares of the rows of a step that are done. What is truncated is rejected too."""

Value: TypeAlias = bool | int | float | str | None
_UNDERSTOOD = (Arithmetic, Column, Compare, Constant, IfElse, IsNull, Logic, Negate, Not)
_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def not_understood(expr: Expr) -> Expr | None:
    """The first part of an expression that no breaker takes: a function, a list, a text."""
    for part in walk(expr):
        text = isinstance(part, Constant) and isinstance(part.value, str)
        if text or not isinstance(part, _UNDERSTOOD):
            return part
    return None


def value_of(expr: Expr, rates: Mapping[str, float]) -> Value:
    """The value of an expression that is understood; null as None, as in all expressions."""
    match expr:
        case Constant(value=value):
            return value
        case Column(name=name):
            return rates[name]
        case Not(operand=part):
            inner = value_of(part, rates)
            return None if inner is None else not inner
        case IsNull(operand=part, negated=negated):
            return (value_of(part, rates) is None) != negated
        case IfElse(then=then, condition=condition, otherwise=otherwise):
            return value_of(then if value_of(condition, rates) else otherwise, rates)
        case Negate(operand=part):
            number = _number(part, rates)
            return None if number is None else -number
        case Arithmetic(op=op, left=left, right=right):
            a, b = _number(left, rates), _number(right, rates)
            if a is None or b is None or (b == 0 and op in ("/", "//", "%")):
                return None
            return _ARITHMETIC[op](a, b)
        case Compare(operands=operands, ops=ops):
            numbers = [_number(part, rates) for part in operands]
            pairs = zip(ops, pairwise(numbers), strict=True)
            return _all(
                None if a is None or b is None else _COMPARE[op](a, b) for op, (a, b) in pairs
            )
        case Logic(op=op, operands=operands):
            values = (value_of(part, rates) for part in operands)
            if op == "and":
                return _all(None if v is None else bool(v) for v in values)
            inverted = _all(None if v is None else not v for v in values)
            return None if inverted is None else not inverted
    raise TypeError(f"no breaker takes a {type(expr).__name__}")


def never_or_always(expr: Expr) -> bool | None:
    """Whether an expression is true whatever the rates are (True), or never (False); else None.

    Looked at are all rates at 0, at 1, at each number that the expression names and between them:
    comparisons with numbers change nowhere else.
    """
    named = {
        float(part.value)
        for part in walk(expr)
        if isinstance(part, Constant)
        and isinstance(part.value, int | float)
        and 0 <= part.value <= 1
    }
    marks = sorted({0.0, 1.0, *named})[:6]
    points = sorted({*marks, *((a + b) / 2 for a, b in pairwise(marks))})
    read = sorted({part.name for part in walk(expr) if isinstance(part, Column)})
    cases = (dict(zip(read, point, strict=True)) for point in product(points, repeat=len(read)))
    seen = {value_of(expr, case) is True for case in cases if _possible(case)}
    return seen.pop() if len(seen) == 1 else None


def _possible(rates: Mapping[str, float]) -> bool:
    """Whether shares of one whole can be these; what is truncated is among the rejected."""
    rejected, truncated = rates.get("rejected"), rates.get("truncated", 0.0)
    if rejected is not None and truncated > rejected:
        return False
    gone = truncated if rejected is None else rejected
    return gone + rates.get("errors", 0.0) + rates.get("accepted", 0.0) <= 1.0


def _number(expr: Expr, rates: Mapping[str, float]) -> float | None:
    value = value_of(expr, rates)
    return float(value) if isinstance(value, int | float) else None


def _all(values: Iterator[bool | None]) -> bool | None:
    """`and` of three values: false if any is, else null if any is."""
    found = list(values)
    if False in found:
        return False
    return None if None in found else True
