"""Expressions as polars expressions: what the language computes.

Its semantics are polars', with these points, which tests hold against an evaluator in plain Python:

- Null goes through every operator and function, but for `is null`, `coalesce`, `if`, and `and`
  and `or`, which are Kleene's (`null and false` is false). A filter keeps the rows where its
  expression is true: null is not kept. A null condition of `if` takes the `else` side.
- `/` gives a float, `//` and `%` go towards minus infinity; by zero all three are null, for floats
  too. Integers have 64 bits and wrap. An int beside a float is a float.
- NaN equals NaN and is above every other number. Texts are ordered by code point.
- `a in xs` is null if `a` or `xs` is, else whether an item equals `a`; a null item equals nothing.
- A list is asked as a whole: `any` and `all` are Kleene's too, a null item is not counted by
  `count` and `frac`, and `min` and `max` leave it out. Of an empty list, `frac`, `min` and `max`
  are null. An item outside a list is null.
- Patterns run in linear time: no look-around, no back-references.
- `hash01` and `choose` rest on xxh3, never on a hash of polars', which may change.
- `tokens` is a column that was counted before, see `counting.py`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import singledispatch
from itertools import accumulate, count, pairwise
from typing import Any

import polars as pl

from ..compiler.expr import (
    FUNCTIONS,
    Expr,
    columns_read,
    infer_type,
    show_expr,
    split_column,
)
from ..compiler.expr.nodes import (
    Arithmetic,
    Call,
    Column,
    Compare,
    Constant,
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
from ..compiler.expr.patterns import groups
from ..compiler.types import Kind, Type
from .columnar import CALLS, OF_LISTS, calculate, compare, item_at, literal
from .draws import canonical, unit
from .dtypes import dtype_of, type_of

DOC = "_doc"
"""The column that draws rest on."""


@dataclass(frozen=True, slots=True)
class Context:
    """Where an expression stands.

    Attributes:
        seed: The recipe's.
        site: The place in the recipe (`pages.keep`); sets apart the draws of equal expressions.
        columns: The frame's schema. By it `input.text` is told from a field, functions of texts
            and lists apart; narrow columns are widened (32-bit integers would wrap early), and
            columns that hold nothing but nulls are given the type that their use wants (polars
            gives them none, and most of its functions refuse them).
    """

    seed: int
    site: str
    columns: Mapping[str, pl.DataType]


def lower(expr: Expr, ctx: Context) -> pl.Expr:
    """The polars expression of a type-checked expression.

    A constant stays of length one, as `pl.lit` does: `with_columns` and `filter` spread it.
    """
    return _lower(expr, _Scope.of(ctx))


def regex_problem(pattern: str) -> str | None:
    """Why polars refuses a regular expression, in one line; None if it takes it."""
    try:
        pl.select(pl.lit("").str.contains(pattern, literal=False, strict=True))
    except pl.exceptions.ComputeError as fault:
        lines = str(fault).split("\n\nThis error occurred")[0].strip().splitlines()
        return lines[-1].removeprefix("error: ").removeprefix("regex error: ")
    return None


@dataclass(frozen=True, slots=True)
class _Scope:
    ctx: Context
    types: Mapping[str, Type]
    casts: Mapping[str, pl.DataType]
    draws: count[int] = field(default_factory=count)

    @staticmethod
    def of(ctx: Context) -> _Scope:
        types = {name: type_of(dtype) for name, dtype in ctx.columns.items()}
        casts = {
            name: wide
            for name, dtype in ctx.columns.items()
            if (wide := dtype_of(types[name])) is not None and wide != dtype
        }
        return _Scope(ctx, types, casts)

    def type(self, expr: Expr) -> Type:
        return infer_type(expr, self.types)[0]


def _typed(expr: Expr, scope: _Scope, kind: Kind) -> pl.Expr:
    """Lowered; as that kind if it is null without a type."""
    lowered = _lower(expr, scope)
    dtype = dtype_of(Type(kind)) if scope.type(expr).kind == "null" else None
    return lowered if dtype is None else lowered.cast(dtype)


@singledispatch
def _lower(expr: Any, scope: _Scope) -> pl.Expr:
    raise NotImplementedError(f"no columnar form of {type(expr).__name__}")


@_lower.register
def _(expr: Constant, scope: _Scope) -> pl.Expr:
    return literal(expr.value)


@_lower.register
def _(expr: Column, scope: _Scope) -> pl.Expr:
    name, path = split_column(expr.name, scope.types) or (expr.name, ())
    found = pl.col(name)
    if name in scope.casts:
        found = found.cast(scope.casts[name])
    if name in scope.types and scope.types[name].kind == "null":
        return found
    for part in path:
        found = found.struct.field(part)
    return found


@_lower.register
def _(expr: Field, scope: _Scope) -> pl.Expr:
    base = _lower(expr.base, scope)
    return base if scope.type(expr.base).kind == "null" else base.struct.field(expr.name)


@_lower.register
def _(expr: Index, scope: _Scope) -> pl.Expr:
    base, index = _lower(expr.base, scope), _typed(expr.index, scope, "int")
    if scope.type(expr.base).kind == "null":
        return base
    return item_at(base, index)


@_lower.register
def _(expr: Items, scope: _Scope) -> pl.Expr:
    if not expr.items:
        return pl.lit([], dtype=pl.List(pl.Null))
    return pl.concat_list([_lower(item, scope) for item in expr.items])


@_lower.register
def _(expr: Negate, scope: _Scope) -> pl.Expr:
    return -_typed(expr.operand, scope, "int")


@_lower.register
def _(expr: Arithmetic, scope: _Scope) -> pl.Expr:
    kinds = {scope.type(expr.left).kind, scope.type(expr.right).kind}
    kind: Kind = "str" if "str" in kinds else "int"
    left, right = _typed(expr.left, scope, kind), _typed(expr.right, scope, kind)
    return calculate(expr.op, left, right)


@_lower.register
def _(expr: Not, scope: _Scope) -> pl.Expr:
    return ~_typed(expr.operand, scope, "bool")


@_lower.register
def _(expr: Logic, scope: _Scope) -> pl.Expr:
    operands = [_typed(operand, scope, "bool") for operand in expr.operands]
    return pl.all_horizontal(operands) if expr.op == "and" else pl.any_horizontal(operands)


@_lower.register
def _(expr: Compare, scope: _Scope) -> pl.Expr:
    operands = [_lower(operand, scope) for operand in expr.operands]
    links = [compare(op, a, b) for op, (a, b) in zip(expr.ops, pairwise(operands), strict=True)]
    return links[0] if len(links) == 1 else pl.all_horizontal(links)


@_lower.register
def _(expr: Member, scope: _Scope) -> pl.Expr:
    item = _lower(expr.item, scope)
    if isinstance(expr.container, Items):
        found = _among(item, expr.container.items, scope)
    else:
        container = _lower(expr.container, scope)
        kind, held = scope.type(expr.item).kind, scope.type(expr.container)
        inner = held.item.kind if held.item else held.kind
        if {kind, inner} == {"int", "float"}:
            item, container = item.cast(pl.Float64), container.cast(pl.List(pl.Float64))
        both = item.is_not_null() & container.is_not_null()
        untyped = "null" in (kind, inner)
        # A null item is nothing that polars' own `contains` agrees on from version to version.
        found = pl.when(both).then(pl.lit(False) if untyped else container.list.contains(item))
    return ~found if expr.negated else found


def _among(item: pl.Expr, options: tuple[Expr, ...], scope: _Scope) -> pl.Expr:
    values = [option.value for option in options if isinstance(option, Constant)]
    if len(values) == len(options) and all(isinstance(value, str) for value in values):
        return item.is_in(values)
    # Numbers one by one: polars' own refuses an int among floats.
    equal = [compare("==", item, _lower(option, scope)).fill_null(False) for option in options]
    return pl.when(item.is_not_null()).then(pl.any_horizontal(equal))


@_lower.register
def _(expr: IsNull, scope: _Scope) -> pl.Expr:
    operand = _lower(expr.operand, scope)
    return operand.is_not_null() if expr.negated else operand.is_null()


@_lower.register
def _(expr: IfElse, scope: _Scope) -> pl.Expr:
    then, condition = _lower(expr.then, scope), _typed(expr.condition, scope, "bool")
    return pl.when(condition).then(then).otherwise(_lower(expr.otherwise, scope))


@_lower.register
def _(expr: Call, scope: _Scope) -> pl.Expr:
    if expr.name == "choose":
        return _choose(expr, scope)
    if expr.name == "tokens":
        return pl.col(show_expr(expr))
    function = FUNCTIONS[expr.name]
    args = [_typed(arg, scope, function.parameter(i).kind) for i, arg in enumerate(expr.args)]
    if expr.name == "hash01":
        return _hash01(expr, args[0], scope)
    if expr.name == "extract":
        return _extract(expr, args[0])
    if expr.name in OF_LISTS and (items := _items(expr, scope)) is not None:
        return OF_LISTS[expr.name](items, *args[1:])
    return CALLS[expr.name](*args)


def _items(expr: Call, scope: _Scope) -> pl.Expr | None:
    """The list that a function is asked about, if it is one, its items typed."""
    type, alone = scope.type(expr.args[0]), len(expr.args) == 1
    kinds = FUNCTIONS[expr.name].parameter(0).kinds
    untyped = type.kind == "null" and (kinds == ("list",) or (alone and expr.name != "len"))
    if type.kind != "list" and not untyped:
        return None
    items = _lower(expr.args[0], scope)
    if untyped or type.item is None or type.item.kind == "null":
        number = "int" in kinds
        dtype = pl.Int64() if number else pl.Boolean() if alone else pl.String()
        return items.cast(pl.List(dtype))
    return items


def _extract(expr: Call, x: pl.Expr) -> pl.Expr:
    match [arg.value for arg in expr.args[1:] if isinstance(arg, Constant)]:
        case [str(pattern), int(group)]:
            return x.str.extract(pattern, group)
        case [str(pattern)]:
            return x.str.extract(pattern, min(groups(pattern), 1))
        case _:
            raise ValueError("`extract` takes constants, which the compiler has seen to")


def _hash01(expr: Call, x: pl.Expr, scope: _Scope) -> pl.Expr:
    seed = scope.ctx.seed

    def draw(values: pl.Series) -> pl.Series:
        found = [None if v is None else unit(canonical(v), seed) for v in values]
        return pl.Series(values.name, found, dtype=pl.Float64)

    if not columns_read(expr):
        # A function over a batch sees a constant once, and polars would not spread its result.
        return pl.lit(draw(pl.select(x).to_series())[0], dtype=pl.Float64)
    return x.map_batches(draw, return_dtype=pl.Float64, is_elementwise=True)


def _choose(expr: Call, scope: _Scope) -> pl.Expr:
    nth = next(scope.draws)
    seed, salt = scope.ctx.seed, canonical(scope.ctx.site) + canonical(nth)

    def draw(docs: pl.Series) -> pl.Series:
        found = [None if doc is None else unit(salt + canonical(doc), seed) for doc in docs]
        return pl.Series(docs.name, found, dtype=pl.Float64)

    drawn = pl.col(DOC).map_batches(draw, return_dtype=pl.Float64, is_elementwise=True)
    options = _lower(expr.args[0], scope)
    if scope.type(expr.args[0]).kind == "null":
        return options
    if len(expr.args) == 1:
        # The largest draw times a large count may round up to the count itself.
        last = options.list.len().cast(pl.Int64) - 1
        index = pl.min_horizontal((drawn * (last + 1)).floor().cast(pl.Int64), last)
        return pl.when(last >= 0).then(item_at(options, index))
    bounds = _bounds(expr.args[1])

    def pick(draws: pl.Series) -> pl.Series:
        found = [None if u is None else bisect_right(bounds, u * bounds[-1]) for u in draws]
        return pl.Series(draws.name, found, dtype=pl.Int64)

    index = drawn.map_batches(pick, return_dtype=pl.Int64, is_elementwise=True)
    return item_at(options, index)


def _bounds(weights: Expr) -> list[float]:
    """The running total of constant weights."""
    assert isinstance(weights, Items)
    values = [w.value for w in weights.items if isinstance(w, Constant)]
    return list(accumulate(float(v) for v in values if isinstance(v, int | float)))
