"""Expressions without columns: parameters put in as constants, and the value worked out.

The compiler needs the value of a field such as `samples: = params.samples * 2` before any row is
read. Arithmetic is the language's own: 64-bit integers, `/` gives a float, division by zero null.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from .expr import Expr, Problem
from .expr.nodes import (
    INT_MAX,
    INT_MIN,
    Arithmetic,
    Call,
    Column,
    Compare,
    Constant,
    IfElse,
    IsNull,
    Items,
    Logic,
    Member,
    Negate,
    Node,
    Not,
)
from .suggest import nearest

PREFIX = "params."
Values = Mapping[str, bool | int | float | str | None]


def fill(expr: Expr, values: Values) -> tuple[Expr, tuple[Problem, ...]]:
    """Put the values of parameters in the place of their names.

    Args:
        expr: Any expression.
        values: By full name: `{"params.samples": 8}`.

    Returns:
        The expression without parameters, and X151 for each that does not exist.
    """
    problems: list[Problem] = []

    def put(node: Any) -> Any:
        if isinstance(node, Column) and node.name.startswith(PREFIX):
            if node.name in values:
                return Constant(values[node.name], start=node.start, end=node.end)
            problems.append(_unknown(node, values))
            return node
        return _with_parts(node, put)

    return put(expr), tuple(problems)


def _with_parts(node: Any, put: Callable[[Any], Any]) -> Any:
    changed: dict[str, Any] = {}
    for part in fields(node):
        old = getattr(node, part.name)
        if isinstance(old, Node):
            new: Any = put(old)
        elif isinstance(old, tuple) and old and isinstance(old[0], Node):
            new = tuple(put(o) for o in old)
            new = old if all(a is b for a, b in zip(old, new, strict=True)) else new
        else:
            continue
        if new is not old:
            changed[part.name] = new
    return replace(node, **changed) if changed else node


def _unknown(node: Column, values: Values) -> Problem:
    name = node.name.removeprefix(PREFIX)
    known = [v.removeprefix(PREFIX) for v in values]
    meant = nearest(name, known)
    if meant:
        hint = f"did you mean `{PREFIX}{meant}`?"
    elif known:
        hint = f"params: {', '.join(known)}"
    else:
        hint = f"declare it: `params: {{ {name.split('.')[0]}: … }}`"
    message = f"`{name}` is not a parameter of this recipe"
    new = f"{PREFIX}{meant}" if meant else None
    return Problem("X151", message, node.start, node.end, hint, new)


def uses_parameters(expr: Expr) -> bool:
    """Whether a parameter is named in it."""
    from .expr.nodes import walk

    return any(isinstance(n, Column) and n.name.startswith(PREFIX) for n in walk(expr))


class _CannotError(Exception):
    def __init__(self, problem: Problem) -> None:
        self.problem = problem


def evaluate(expr: Expr) -> tuple[Any, tuple[Problem, ...]]:
    """The value of an expression without columns: a scalar or a list of them, null as None."""
    try:
        return _value(expr), ()
    except _CannotError as error:
        return None, (error.problem,)


def _value(expr: Expr) -> Any:
    match expr:
        case Constant(value=value):
            return value
        case Items(items=items):
            return [_value(i) for i in items]
        case Column(name=name):
            raise _cannot(
                expr,
                "X151",
                f"`{name}` is not known here: the value is the same for all rows",
                "name a parameter, as in `= params.samples`",
            )
        case Negate(operand=operand):
            return _number(-_need_number(operand), expr)
        case Arithmetic(op=op, left=left, right=right):
            return _arithmetic(expr, op, left, right)
        case Not(operand=operand):
            value = _need(operand, bool, "true or false")
            return None if value is None else not value
        case Logic(op=op, operands=operands):
            return _logic(op, [_need(o, bool, "true or false") for o in operands])
        case Compare(operands=operands, ops=ops):
            return _compare(expr, [_value(o) for o in operands], ops)
        case Member(item=item, container=container, negated=negated):
            held = _value(container)
            if not isinstance(held, list | str):
                raise _cannot(container, "X152", "`in` needs a list or a text")
            return (_value(item) in held) != negated
        case IsNull(operand=operand, negated=negated):
            return (_value(operand) is None) != negated
        case IfElse(then=then, condition=condition, otherwise=otherwise):
            return _value(then) if _need(condition, bool, "true or false") else _value(otherwise)
        case Call(name=name, args=args) if name in _CALLS:
            return _call(expr, name, [_value(a) for a in args])
        case _:
            words = ", ".join(sorted(_CALLS))
            raise _cannot(
                expr,
                "X152",
                "this is worked out row by row, and the value is the same for all rows",
                f"here an expression has params, arithmetic, comparison, if else and {words}",
            )


def _cannot(at: Expr, code: str, message: str, hint: str | None = None) -> _CannotError:
    return _CannotError(Problem(code, message, at.start, at.end, hint))


def _need(expr: Expr, kind: type, words: str) -> Any:
    value = _value(expr)
    if value is not None and not isinstance(value, kind):
        raise _cannot(expr, "X152", f"this must be {words}")
    return value


def _need_number(expr: Expr) -> int | float:
    value = _value(expr)
    if isinstance(value, bool) or not isinstance(value, int | float):
        hint = None
        if isinstance(value, str):
            hint = f"'{value}' is text; a quantity with a unit can only be taken as it is"
        raise _cannot(expr, "X152", "this must be a number", hint)
    return value


def _number(value: float, at: Expr) -> int | float:
    if isinstance(value, int) and not INT_MIN <= value <= INT_MAX:
        raise _cannot(at, "X152", "the result has more than 64 bits")
    if isinstance(value, float) and not math.isfinite(value):
        raise _cannot(at, "X152", "the result is no finite number")
    return value


_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _arithmetic(expr: Expr, op: str, left: Expr, right: Expr) -> Any:
    texts = _value(left), _value(right)
    if op == "+" and all(isinstance(t, str) for t in texts):
        return texts[0] + texts[1]
    a, b = _need_number(left), _need_number(right)
    if op in ("/", "//", "%") and b == 0:
        raise _cannot(right, "X152", "division by zero")
    try:
        return _number(_OPERATORS[op](a, b), expr)
    except OverflowError:
        raise _cannot(expr, "X152", "the result is no finite number") from None


def _logic(op: str, values: list[bool | None]) -> bool | None:
    decisive = op == "or"
    if any(v is decisive for v in values):
        return decisive
    return None if None in values else not decisive


def _compare(expr: Expr, values: list[Any], ops: tuple[str, ...]) -> bool | None:
    if None in values:
        return None
    kinds = {"number" if isinstance(v, int | float) and not isinstance(v, bool) else type(v)
             for v in values}  # fmt: skip
    if len(kinds) > 1 or (kinds & {bool, list} and {*ops} - {"==", "!="}):
        raise _cannot(expr, "X152", "these cannot be compared")
    pairs = zip(ops, values, values[1:], strict=False)
    return all(_OPERATORS[op](a, b) for op, a, b in pairs)


_CALLS: Mapping[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "round": round,
    "int": int,
    "float": float,
    "str": str,
    "coalesce": lambda *values: next((v for v in values if v is not None), None),
}


def _call(expr: Expr, name: str, values: list[Any]) -> Any:
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    if not values or (name in ("min", "max", "abs", "round") and not numbers):
        raise _cannot(expr, "X152", f"{name} needs numbers here")
    try:
        made = _CALLS[name](values) if name in ("min", "max") else _CALLS[name](*values)
    except (TypeError, ValueError, OverflowError):
        raise _cannot(expr, "X152", f"{name} cannot take this") from None
    number = isinstance(made, int | float) and not isinstance(made, bool)
    return _number(made, expr) if number else made
