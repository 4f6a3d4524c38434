"""Expressions back to text, in one canonical form: `parse(show(e)) == e`."""

from __future__ import annotations

from functools import partial

from .nodes import (
    Arithmetic,
    Call,
    Column,
    Compare,
    Constant,
    Expr,
    Field,
    IfElse,
    Index,
    IsNull,
    Items,
    Logic,
    Member,
    Negate,
    Not,
)

# How tightly each form binds, as the rules of the grammar are nested.
_IF, _OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _SIGN, _PATH = range(9)
_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def show_expr(expr: Expr) -> str:
    """The canonical text of an expression, with the fewest parentheses."""
    return _show(expr, _IF)


def show_constant(value: bool | int | float | str | None) -> str:
    """The canonical text of a constant."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value.translate(_ESCAPES)}'"
    return repr(value)


def _show(expr: Expr, at_least: int) -> str:
    binding, text = _render(expr)
    return text if binding >= at_least else f"({text})"


def _render(expr: Expr) -> tuple[int, str]:
    match expr:
        case Constant(value=value):
            text = show_constant(value)
            return (_SIGN if text.startswith("-") else _PATH), text
        case Column(name=name):
            return _PATH, name
        case Field(base=base, name=name):
            return _PATH, f"{_show(base, _PATH)}.{name}"
        case Index(base=base, index=index):
            return _PATH, f"{_show(base, _PATH)}[{_show(index, _IF)}]"
        case Items(items=items):
            return _PATH, f"[{_commas(items)}]"
        case Call(name=name, args=args):
            return _PATH, f"{name}({_commas(args)})"
        case Negate(operand=operand):
            return _SIGN, f"-{_show(operand, _SIGN)}"
        case Arithmetic(op=op, left=left, right=right):
            binding = _SUM if op in "+-" else _PRODUCT
            return binding, f"{_show(left, binding)} {op} {_show(right, binding + 1)}"
        case Compare(operands=operands, ops=ops):
            first, *rest = map(partial(_show, at_least=_SUM), operands)
            tail = (f" {op} {text}" for op, text in zip(ops, rest, strict=True))
            return _COMPARE, first + "".join(tail)
        case Member(item=item, container=container, negated=negated):
            word = "not in" if negated else "in"
            return _COMPARE, f"{_show(item, _SUM)} {word} {_show(container, _SUM)}"
        case IsNull(operand=operand, negated=negated):
            word = "is not null" if negated else "is null"
            return _COMPARE, f"{_show(operand, _SUM)} {word}"
        case Not(operand=operand):
            return _NOT, f"not {_show(operand, _NOT)}"
        case Logic(op=op, operands=operands):
            binding = _AND if op == "and" else _OR
            return binding, f" {op} ".join(_show(x, binding + 1) for x in operands)
        case IfElse(then=then, condition=condition, otherwise=otherwise):
            parts = _show(then, _OR), _show(condition, _OR), _show(otherwise, _IF)
            return _IF, "{} if {} else {}".format(*parts)


def _commas(items: tuple[Expr, ...]) -> str:
    return ", ".join(_show(item, _IF) for item in items)
