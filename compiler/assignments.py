"""`set:`: computed columns, worked out before the operator or after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .document import Node as Document
from .document import Scalar, plain
from .expr import columns_read, parse_expr
from .expr.nodes import Constant
from .formulas import bind_expression
from .recipe import Assignment, StepDecl
from .registry import Operator
from .scope import Binding, Scope
from .types import BOOL, FLOAT, INT, STR, Type


@dataclass(frozen=True, slots=True)
class Value:
    """What a `set:` gives a column: JSON for the definition, and what is known of it."""

    json: Any
    type: Type
    reads: frozenset[str] = frozenset()
    draws: bool = False
    seeded: bool = False
    counts: tuple[str, ...] = ()


Assigned = tuple[Assignment, Value]


def split_assignments(
    step: StepDecl, scope: Scope, operator: Operator, binding: Binding
) -> tuple[list[Assigned], list[Assignment], bool]:
    """Columns of `set:`: computed before the operator, or after it if they read what it makes."""
    before: list[Assigned] = []
    after: list[Assignment] = []
    sound = True
    for assignment in step.set:
        if assignment.column.startswith("_"):  # shape has its diagnostic
            sound = False
        elif _needs_output(assignment, scope, operator):
            after.append(assignment)
        elif found := assigned(assignment, scope, binding):
            before.append((assignment, found))
        else:
            sound = False
    return before, after, sound


def _needs_output(assignment: Assignment, scope: Scope, operator: Operator) -> bool:
    if not _is_expression(assignment.value):
        return False
    expr, _ = parse_expr(str(plain(assignment.value))[1:])
    read = columns_read(expr, scope.columns) if expr else frozenset[str]()
    missing = {c for c in read - scope.columns.keys() if not c.startswith("params.")}
    return bool(missing) and (bool(missing & set(operator.writes)) or operator.stage == "generate")


def _is_expression(value: Document) -> bool:
    return (
        isinstance(value, Scalar) and isinstance(value.value, str) and value.value.startswith("=")
    )


_LITERALS: Mapping[type, Type] = {str: STR, bool: BOOL, int: INT, float: FLOAT}


def assigned(assignment: Assignment, scope: Scope, binding: Binding) -> Value | None:
    """Bind one column; None if it is wrong. A constant is its value, however it is written."""
    value = assignment.value
    if _is_expression(value):
        found = bind_expression(value, binding, scope, skip=1)
        if found is None:
            return None
        constant, _ = parse_expr(found.text) if not found.reads else (None, ())
        if isinstance(constant, Constant) and constant.value is not None:
            return Value(constant.value, found.type)
        return Value(
            {"=": found.text}, found.type, found.reads, found.draws, found.seeded, found.counts
        )
    literal = plain(value)
    kind = _LITERALS.get(type(literal))
    return Value(literal, kind) if kind else None  # else shape has its diagnostic


def with_sets(modelled: frozenset[str], sets: list[Assigned]) -> frozenset[str]:
    """Columns that hold a model's words, with those computed from them."""
    return modelled | {a.column for a, found in sets if found.reads & modelled}
