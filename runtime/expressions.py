"""Expressions of a plan, lowered against the frames that they meet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from ..compiler.expr import parse_expr
from .frames import Context, lower

Lowered = Callable[[pl.DataFrame], pl.Expr]
"""The polars expression of a recipe's expression for frames of this schema."""


def lowered(text: str, seed: int, site: str) -> Lowered:
    """Lower an expression of a plan; parsed once, lowered once a schema.

    Raises:
        ValueError: The text is no expression; the compiler has refused it before.
    """
    expr, problems = parse_expr(text)
    if expr is None:
        raise ValueError(f"not an expression: {text!r} ({problems})")
    cache: dict[tuple[Any, ...], pl.Expr] = {}

    def at(frame: pl.DataFrame) -> pl.Expr:
        key = tuple(frame.schema.items())
        if key not in cache:
            cache[key] = lower(expr, Context(seed, site, frame.schema))
        return cache[key]

    return at


Assign = Callable[[pl.DataFrame], pl.DataFrame]


def assign(columns: Mapping[str, Any], seed: int, site: str) -> Assign:
    """The function that computes the columns of a `set:`; all see the columns as they came."""
    made: dict[str, Lowered] = {
        name: lowered(value["="], seed, f"{site}.{name}")
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
