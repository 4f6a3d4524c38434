"""Types of polars and types of the language."""

from __future__ import annotations

from typing import cast

import polars as pl

from ..compiler.types import ANY, BOOL, FLOAT, INT, NULL, STR, Type, list_of


def type_of(dtype: pl.DataType) -> Type:
    """The type of a column, which may be null; `any` for what the language has no word for."""
    if dtype.is_integer():
        return INT.maybe()
    if dtype.is_float():
        return FLOAT.maybe()
    match dtype:
        case pl.List(inner=inner) | pl.Array(inner=inner):
            return list_of(type_of(cast(pl.DataType, inner))).maybe()
        case pl.Struct(fields=fields):
            named = tuple((f.name, type_of(cast(pl.DataType, f.dtype))) for f in fields)
            return Type("struct", True, fields=named)
        case pl.Boolean():
            return BOOL.maybe()
        case pl.String() | pl.Categorical() | pl.Enum():
            return STR.maybe()
        case pl.Null():
            return NULL
        case _:
            return ANY


def dtype_of(type: Type) -> pl.DataType | None:
    """What the language computes with; None where a column is taken as it is."""
    match type.kind:
        case "bool":
            return pl.Boolean()
        case "int":
            return pl.Int64()
        case "float":
            return pl.Float64()
        case "str":
            return pl.String()
        case "list":
            inner = dtype_of(type.item) if type.item else None
            return pl.List(inner) if inner is not None else None
        case _:
            return None
