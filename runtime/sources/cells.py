"""Cells of delimited text: which are numbers or truth values, and which stay text."""

from __future__ import annotations

import re

import polars as pl

from ...compiler.types import Type

_INT = r"^-?(?:0|[1-9][0-9]{0,17})$"
_FLOAT = r"^-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?$"
_BOOL = r"^(?:true|false|True|False|TRUE|FALSE)$"
PATTERNS = {"int": _INT, "float": _FLOAT, "bool": _BOOL}
_int, _float, _bool = (re.compile(p, re.ASCII) for p in PATTERNS.values())


def cell_value(text: str) -> int | float | bool | str:
    """What a cell says: a number or truth value that is written plainly, else text."""
    if text.endswith("\n"):
        return text
    if _int.match(text):
        return int(text)
    if _float.match(text):
        return float(text)
    return text.lower() == "true" if _bool.match(text) else text


def typed_cells(texts: pl.Series, kind: Type) -> pl.Series:
    """Cells as values of a type; null where they are none."""
    plain = texts.str.contains(PATTERNS[kind.kind]) & ~texts.str.ends_with("\n")
    texts = texts.set(~plain, None)
    if kind.kind == "bool":
        return texts.str.to_lowercase() == "true"
    return texts.cast(pl.Int64 if kind.kind == "int" else pl.Float64)
