"""From a table as a file holds it to rows: what is a row, what is not, and the ids of those.

The same rules as `rows` holds lines of JSON to, column by column.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, cast

import polars as pl

from ...compiler.types import FLOAT, NULL, STR, Type, list_of
from ..dtypes import type_of
from .cells import PATTERNS, cell_value, typed_cells
from .columns import fits, polars_type
from .rows import (
    build_frame,
    carried_columns,
    doc_digest,
    drift,
    finish,
    key_bytes,
    occurrences,
)
from .spec import CLUSTER, Partition, SourceSpec, Table, Unreadable

TEXT, KEY = "text", "\0key"
"""Columns of a table's frame. No mapped column can be called so."""
TEXTS = (pl.String, pl.Categorical, pl.Enum, pl.Null)
"""Types of text as it is stored, beside bytes."""


def kind_of(dtype: pl.DataType) -> Type:
    """The type that a stored column gets: times as ISO text, decimals as floats."""
    match dtype:
        case pl.List(inner=inner) | pl.Array(inner=inner):
            return list_of(kind_of(cast(pl.DataType, inner))).maybe()
        case pl.Struct(fields=fields):
            named = tuple((f.name, kind_of(cast(pl.DataType, f.dtype))) for f in fields)
            return Type("struct", True, fields=named)
        case pl.Decimal():
            return FLOAT.maybe()
        case pl.Null():
            return NULL
        case _:
            return STR.maybe() if dtype.is_temporal() else type_of(dtype)


def column(schema: Mapping[str, pl.DataType], name: str) -> tuple[pl.Expr, pl.DataType] | None:
    """A column by its name, or by a path of names with dots; None if it is not there."""
    if name in schema:
        return pl.col(name), schema[name]
    first, *rest = name.split(".")
    if first not in schema:
        return None
    expr, dtype = pl.col(first), schema[first]
    for part in rest:
        inner = {f.name: f.dtype for f in dtype.fields} if isinstance(dtype, pl.Struct) else {}
        if part not in inner:
            return None
        expr, dtype = expr.struct.field(part), cast(pl.DataType, inner[part])
    return expr, dtype


def missing(schema: Mapping[str, Any], wanted: str) -> str:
    """The reason of a file that lacks a column."""
    there = ", ".join(list(schema)[:8]) + (", …" if len(schema) > 8 else "")
    return f"no column {wanted}; it has {there or 'none'}"


def partition(
    spec: SourceSpec, types: Mapping[str, Type], table: Table, seen: Counter[str]
) -> Partition:
    """A partition of a table's rows."""
    rows, bad = rows_of(spec, types, table)
    ids = occurrences(rows["_doc"].to_list(), seen)
    frame = rows.with_columns(pl.Series("_id", ids, pl.String))
    return Partition(frame, tuple(bad), int(rows["text"].str.len_bytes().sum()))


def rows_of(
    spec: SourceSpec, types: Mapping[str, Type], table: Table
) -> tuple[pl.DataFrame, list[Unreadable]]:
    """Readable rows, their `_id` still empty, and those that are none, in order."""
    if not table.frame.width:  # nothing but faults
        return build_frame(spec, types, [], []), list(table.faults)
    reasons: dict[int, str] = {}
    text = _text(spec, table.frame[TEXT], reasons)
    carried = dict(carried_columns(spec))
    kept: list[pl.Series] = []
    for name, _ in spec.columns:
        if name in table.frame.columns:
            fit = _fit(name, table.frame[name], types.get(name, STR), reasons, table.cells)
            kept += [fit] if name in carried else []
    keys = table.frame[KEY] if KEY in table.frame.columns else None
    drawn = [table.frame[CLUSTER]] if CLUSTER in table.frame.columns else []
    bad = list(table.faults)
    if reasons:
        good = pl.Series([i not in reasons for i in range(len(text))], dtype=pl.Boolean)
        text, kept = text.filter(good), [s.filter(good) for s in kept]
        keys = None if keys is None else keys.filter(good)
        drawn = [s.filter(good) for s in drawn]
        bad += (_unreadable(table, i, reasons[i]) for i in sorted(reasons))
        if isinstance(table.files, str):
            bad.sort(key=lambda u: u.line)
    digest = doc_digest(spec)
    if keys is None:
        docs = [digest(b"", t) for t in text.cast(pl.Binary)]
    else:
        pairs = zip(_keys(keys), text.cast(pl.Binary), strict=True)
        docs = [digest(k, t) for k, t in pairs]
    ids = pl.Series("_id", [None] * len(docs), pl.String)
    series = [text.alias("text"), *kept, pl.Series("_doc", docs, pl.String), ids, *drawn]
    return finish(spec, series), bad


def _unreadable(table: Table, row: int, reason: str) -> Unreadable:
    file = table.files if isinstance(table.files, str) else table.files[row]
    value = table.frame[TEXT][row]
    raw = value if isinstance(value, bytes) else str("" if value is None else value).encode()
    return Unreadable(file, table.lines[row], reason, raw[:200])


def _text(spec: SourceSpec, values: pl.Series, reasons: dict[int, str]) -> pl.Series:
    name = spec.text
    if values.dtype == pl.Binary:
        text = pl.Series(values.name, [_decoded(v) for v in values], pl.String)
        _note(reasons, text.is_null() & values.is_not_null(), f"column {name} is not UTF-8")
    elif values.dtype in TEXTS:
        text = values.cast(pl.String)
    else:
        kind = kind_of(values.dtype).maybe(False)
        _note(reasons, values.is_not_null(), f"column {name} is {kind}, expected str")
        text = pl.Series(values.name, [None] * len(values), pl.String)
    _note(reasons, text.is_null(), f"column {name} is null")
    nul = text.str.contains("\0", literal=True).fill_null(False)
    _note(reasons, nul, f"column {name} holds a NUL character")
    return text


def _decoded(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None


def text_sizes(values: pl.Series) -> pl.Series:
    """Bytes of text in each row of the `text` column; nothing where it is no text."""
    if values.dtype == pl.Binary:
        sizes = values.bin.size()
    elif values.dtype in TEXTS:
        sizes = values.cast(pl.String).str.len_bytes()
    else:
        sizes = pl.zeros(len(values), eager=True)
    return sizes.fill_null(0).cast(pl.Int64)


def _fit(
    name: str, values: pl.Series, kind: Type, reasons: dict[int, str], cells: bool
) -> pl.Series:
    """A column in its source's type; values that do not fit are null, and noted."""
    target, drifts = polars_type(kind), f"schema-drift: column {name} is "
    if cells and kind.kind in PATTERNS:
        fit = typed_cells(values, kind)
        for i in (fit.is_null() & values.is_not_null()).arg_true():
            reasons.setdefault(i, drifts + drift(cell_value(values[i]), kind))
        return fit.alias(name)
    has = kind_of(values.dtype)
    if has.kind == "null":
        return pl.Series(name, [None] * len(values), target)
    if foreign(has):
        _note(reasons, values.is_not_null(), no_type(name, values.dtype))
        return pl.Series(name, [None] * len(values), target)
    if _same(has, kind) or (has.kind, kind.kind) == ("int", "float"):
        fit = _plain(values).cast(target, strict=False).alias(name)
        lost = fit.is_null() & values.is_not_null()
        if lost.any():
            beyond = "an integer beyond 64 bits" if has.kind == "int" else "beyond its type"
            _note(reasons, lost, drifts + beyond)
        if _holds_nul(fit):
            _each(fit, kind, drifts, reasons)
        return fit
    return _each(_plain(values), kind, drifts, reasons).alias(name)


def _each(values: pl.Series, kind: Type, drifts: str, reasons: dict[int, str]) -> pl.Series:
    """Value by value, as lines of JSON are looked at."""
    kept = values.to_list()
    for i, value in enumerate(kept):
        if value is not None and not fits(value, kind):
            reasons.setdefault(i, drifts + drift(value, kind))
            kept[i] = None
    return pl.Series(values.name, kept, polars_type(kind), strict=False)


def _same(a: Type, b: Type) -> bool:
    """Whether a stored type is the source's, nulls aside."""
    if a.kind != b.kind or a.kind == "any":
        return False
    if a.kind == "list":
        return a.item is not None and _same(a.item, b.item or STR)
    if a.kind == "struct":
        names = [n for n, _ in a.fields] == [n for n, _ in b.fields]
        return names and all(_same(x, y) for (_, x), (_, y) in zip(a.fields, b.fields, strict=True))
    return True


def no_type(name: str, dtype: pl.DataType) -> str:
    """The reason where a stored type has no counterpart."""
    return f"column {name} is {dtype}, which is no type here"


def foreign(kind: Type) -> bool:
    """Whether the language has no word for a type, or for one inside it."""
    inner = [t for _, t in kind.fields] + ([kind.item] if kind.item else [])
    return kind.kind == "any" or any(map(foreign, inner))


def _plain(values: pl.Series) -> pl.Series:
    """Values in types of the language: no dates, decimals or categories."""
    kind = kind_of(values.dtype)
    return values if foreign(kind) else values.cast(polars_type(kind), strict=False)


def _holds_nul(values: pl.Series) -> bool:
    match values.dtype:
        case pl.String():
            return bool(values.str.contains("\0", literal=True).any())
        case pl.List():
            return _holds_nul(values.explode())
        case pl.Struct(fields=fields):
            return any(_holds_nul(values.struct.field(f.name)) for f in fields)
        case _:
            return False


def _keys(values: pl.Series) -> list[bytes]:
    return [key_bytes(v) for v in _plain(values).to_list()]


def _note(reasons: dict[int, str], where: pl.Series, reason: str) -> None:
    for i in where.arg_true():
        reasons.setdefault(i, reason)


def settled(dtype: pl.DataType, kind: Type | None) -> bool:
    """Whether no value of a stored column can fail to be a row's, so that it need not be read."""
    plain = dtype == pl.Boolean or dtype.is_float() or dtype in _WITHIN_INT64
    return plain and kind is not None and kind_of(dtype).kind == kind.kind


_WITHIN_INT64 = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32)
