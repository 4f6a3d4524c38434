"""Expressions of a plan, lowered against the frames that they meet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from ..compiler.expr import parse_expr
from .counting import Count, counts_of
from .frames import Context, lower

Lowered = Callable[[pl.DataFrame], pl.Expr]
"""The polars expression of a recipe's expression for frames of this schema."""


def lowered(text: str, seed: int, site: str, count: Count | None = None) -> Lowered:
    """Lower an expression of a plan; parsed once, lowered once a schema.

    Args:
        text: The expression.
        seed: The recipe's.
        site: Where it stands, see `Context`.
        count: What `tokens` counts with. An expression that counts is computed at once: what comes
            back for a frame is then good for that frame alone.

    Raises:
        ValueError: The text is no expression; the compiler has refused it before.
    """
    expr, problems = parse_expr(text)
    if expr is None:
        raise ValueError(f"not an expression: {text!r} ({problems})")
    add = counts_of([expr], count, seed, site)
    cache: dict[tuple[Any, ...], pl.Expr] = {}

    def at(frame: pl.DataFrame) -> pl.Expr:
        key = tuple(frame.schema.items())
        if key not in cache:
            cache[key] = lower(expr, Context(seed, site, frame.schema))
        return cache[key]

    if add is None:
        return at

    def computed(frame: pl.DataFrame) -> pl.Expr:
        counted = add(frame)
        return pl.lit(counted.with_columns(at(counted).alias(_RESULT))[_RESULT])

    return computed


def truth(frame: pl.DataFrame, condition: pl.Expr) -> pl.Series:
    """Whether a condition is true, row by row; null is not true, a constant is the same for all."""
    mask = frame.select(condition.fill_null(False).alias("keep")).to_series()
    if mask.len() == frame.height:
        return mask
    return pl.Series("keep", [bool(mask[0])] * frame.height, dtype=pl.Boolean)


_RESULT = "="
"""The name of no column."""

Assign = Callable[[pl.DataFrame], pl.DataFrame]


def assign(columns: Mapping[str, Any], seed: int, site: str, count: Count | None = None) -> Assign:
    """The function that computes the columns of a `set:`; all see the columns as they came."""
    made: dict[str, Lowered] = {
        name: lowered(value["="], seed, f"{site}.{name}", count)
        if isinstance(value, Mapping)
        else _constant(value)
        for name, value in columns.items()
    }

    def apply(frame: pl.DataFrame) -> pl.DataFrame:
        if not made:
            return frame
        return frame.with_columns(value(frame).alias(name) for name, value in made.items())

    return apply


_CONSTANTS: Mapping[type, Any] = {
    bool: pl.Boolean,
    int: pl.Int64,
    float: pl.Float64,
    str: pl.String,
}


def _constant(value: Any) -> Lowered:
    """A literal as a column of the language's types: integers have 64 bits."""
    column = pl.lit(value, dtype=_CONSTANTS.get(type(value)))
    return lambda frame: column
