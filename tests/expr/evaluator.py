"""The language in plain Python, one value at a time: what `runtime/frames.py` is held to."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from mashbill.compiler.expr import infer_type
from mashbill.compiler.expr.nodes import (
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
from mashbill.compiler.types import Columns

# Unicode's White_Space, which is not quite Python's.
WHITE = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)


def evaluate(expr: Expr, row: Mapping[str, Any], columns: Columns) -> Any:
    """The value of an expression for a row."""
    value = _value(expr, row, columns)
    type = infer_type(expr, columns)[0]
    if type.kind == "float" and isinstance(value, int):
        return float(value)
    if type.kind == "list" and type.item and type.item.kind == "float" and value is not None:
        return [None if v is None else float(v) for v in value]
    return value


def _value(expr: Expr, row: Mapping[str, Any], columns: Columns) -> Any:
    def of(part: Expr) -> Any:
        return evaluate(part, row, columns)

    match expr:
        case Constant(value=value):
            return value
        case Column(name=name):
            if name in row:
                return row[name]
            head, _, field = name.partition(".")
            return None if row[head] is None else row[head][field]
        case Field(base=base, name=name):
            return None if of(base) is None else of(base)[name]
        case Items(items=items):
            return [of(item) for item in items]
        case Index(base=base, index=index):
            xs, i = of(base), of(index)
            if xs is None or i is None or not -len(xs) <= i < len(xs):
                return None
            return xs[i]
        case Negate(operand=operand):
            x = of(operand)
            return None if x is None else _wrap(-x)
        case Arithmetic(op=op, left=left, right=right):
            a, b = of(left), of(right)
            return None if a is None or b is None else _arithmetic(op, a, b)
        case Not(operand=operand):
            x = of(operand)
            return None if x is None else not x
        case Logic(op=op, operands=operands):
            return _kleene(op == "or", [of(operand) for operand in operands])
        case Compare(operands=operands, ops=ops):
            values = [of(operand) for operand in operands]
            links = zip(ops, values, values[1:], strict=False)
            return _kleene(False, [_compare(op, a, b) for op, a, b in links])
        case Member(item=item, container=container, negated=negated):
            x, xs = of(item), of(container)
            if x is None or xs is None:
                return None
            return any(_compare("==", x, v) is True for v in xs) != negated
        case IsNull(operand=operand, negated=negated):
            return (of(operand) is None) != negated
        case IfElse(then=then, condition=condition, otherwise=otherwise):
            return of(then) if of(condition) is True else of(otherwise)
        case Call(name="coalesce", args=args):
            return next((v for v in map(of, args) if v is not None), None)
        case Call(name=name, args=args):
            values = [of(arg) for arg in args]
            return None if None in values else _call(name, values)


def _wrap(x: int | float) -> int | float:
    return x if isinstance(x, float) else (x + 2**63) % 2**64 - 2**63


def _arithmetic(op: str, a: Any, b: Any) -> Any:
    if isinstance(a, str):
        return a + b
    if isinstance(a, float) or isinstance(b, float) or op == "/":
        a, b = float(a), float(b)
    if op in ("/", "//", "%") and b == 0:
        return None
    match op:
        case "+":
            return _wrap(a + b)
        case "-":
            return _wrap(a - b)
        case "*":
            return _wrap(a * b)
        case "/":
            return _quotient(a, b)
        case "//":
            return _floor(_quotient(a, b)) if isinstance(a, float) else _wrap(a // b)
        case _:
            return a - _floor(_quotient(a, b)) * b if isinstance(a, float) else a % b


def _quotient(a: float, b: float) -> float:
    try:
        return a / b
    except OverflowError:
        return math.copysign(math.inf, a) * math.copysign(1, b)


def _floor(x: float) -> float:
    return float(math.floor(x)) if math.isfinite(x) else x


def _kleene(decisive: bool, values: list[bool | None]) -> bool | None:
    if decisive in values:
        return decisive
    return None if None in values else not decisive


def _compare(op: str, a: Any, b: Any) -> bool | None:
    if a is None or b is None:
        return None
    if isinstance(a, float) or isinstance(b, float):
        a, b = float(a), float(b)
        a, b = (
            (math.isnan(a), 0 if math.isnan(a) else a),
            (math.isnan(b), 0 if math.isnan(b) else b),
        )
    match op:
        case "==":
            return bool(a == b)
        case "!=":
            return bool(a != b)
        case "<":
            return bool(a < b)
        case "<=":
            return bool(a <= b)
        case ">":
            return bool(a > b)
        case _:
            return bool(a >= b)


def _call(name: str, args: list[Any]) -> Any:
    x, *rest = args
    match name:
        case "len" | "chars":
            return len(x)
        case "words":
            return len(re.findall(f"[^{WHITE}]+", x))
        case "lines":
            return sum(bool(line.strip(WHITE)) for line in x.split("\n"))
        case "lower":
            return x.lower()
        case "upper":
            return x.upper()
        case "strip":
            return x.strip(WHITE)
        case "contains":
            return rest[0] in x
        case "startswith":
            return x.startswith(rest[0])
        case "endswith":
            return x.endswith(rest[0])
        case "matches":
            return re.search(_anchored(rest[0]), x) is not None
        case "extract":
            found = re.search(_anchored(rest[0]), x)
            group = rest[1] if rest[1:] else min(re.compile(rest[0]).groups, 1)
            return found and found[group]
        case "split":
            return x.split(rest[0]) if rest else re.findall(f"[^{WHITE}]+", x)
        case "tokens":
            return counted_words([x])[0]
        case "count" if isinstance(x, str):
            return sum(1 for _ in re.finditer(_anchored(rest[0]), x))
        case "any" | "all":
            return _kleene(name == "any", _verdicts(x, rest))
        case "count":
            return _verdicts(x, rest).count(True)
        case "frac":
            lines = [line.rstrip(WHITE) for line in x.split("\n")] if isinstance(x, str) else x
            verdicts = _verdicts([v for v in lines if v or not isinstance(x, str)], rest)
            return verdicts.count(True) / len(verdicts) if verdicts else None
        case "min" | "max" if isinstance(x, list):
            known = [v for v in x if v is not None]
            return _call(name, known) if known else None
        case "abs":
            return _wrap(abs(x))
        case "round":
            return float(round(x, *rest)) if isinstance(x, float) and math.isfinite(x) else x
        case "min":
            return reduce(lambda a, b: b if _compare("<", b, a) else a, args)
        case "max":
            return reduce(lambda a, b: b if _compare(">", b, a) else a, args)
        case "int":
            return _integer(x)
        case "float":
            return _number(x)
        case "str":
            return str(x).lower() if isinstance(x, bool) else str(x)
        case _:
            raise NotImplementedError(name)


def _verdicts(items: list[Any], rest: list[Any]) -> list[bool | None]:
    if not rest:
        return items
    return [None if v is None else _call("matches", [v, *rest]) for v in items]


def _anchored(pattern: str) -> str:
    # Python's `$` also stands before a last line break.
    return pattern.replace("$", r"\Z")


def counted_words(texts: Sequence[str]) -> list[int]:
    """What stands for a tokenizer in tests."""
    return [len(text.split()) for text in texts]


def _integer(x: Any) -> int | None:
    if isinstance(x, str):
        return int(x) if re.fullmatch("-?[0-9]+", x) else None
    if isinstance(x, float):
        return int(x) if math.isfinite(x) and -(2**63) <= int(x) < 2**63 else None
    return int(x)


def _number(x: Any) -> float | None:
    if isinstance(x, str):
        return float(x) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", x) else None
    return float(x)
