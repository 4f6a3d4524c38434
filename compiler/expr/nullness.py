"""What a condition says about nulls: `score is null or score > 3` compares a score that is there.

`and` and `or` are Kleene's, so the order of their operands has no meaning: with `score` null,
`score is not null and …` is false and `score is null or …` true, whatever the rest is.
"""

from __future__ import annotations

from functools import reduce

from .nodes import Expr, IsNull, Logic, Not

Facts = frozenset[Expr]
"""Expressions that cannot be null here."""

NOTHING: Facts = frozenset()


def unless_false(condition: Expr) -> Facts:
    """What is not null where the condition is true or null."""
    match condition:
        case IsNull(operand=operand, negated=True):
            return frozenset({operand})
        case Not(operand=operand):
            return unless_true(operand)
        case Logic(op="and", operands=operands):
            return NOTHING.union(*map(unless_false, operands))
        case Logic(operands=operands):
            return reduce(Facts.intersection, map(unless_false, operands))
        case _:
            return NOTHING


def unless_true(condition: Expr) -> Facts:
    """What is not null where the condition is false or null."""
    match condition:
        case IsNull(operand=operand, negated=False):
            return frozenset({operand})
        case Not(operand=operand):
            return unless_false(operand)
        case Logic(op="or", operands=operands):
            return NOTHING.union(*map(unless_true, operands))
        case Logic(operands=operands):
            return reduce(Facts.intersection, map(unless_true, operands))
        case _:
            return NOTHING
