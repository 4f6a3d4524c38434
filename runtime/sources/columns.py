"""Types of JSON columns: found in a sample, then held for the whole source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...compiler.types import BOOL, FLOAT, INT, NULL, STR, Type, list_of

if TYPE_CHECKING:
    import polars as pl

_LARGEST = 2**63
_SCALARS: dict[type, Type] = {bool: BOOL, int: INT, float: FLOAT, str: STR, type(None): NULL}


def type_of(value: Any) -> Type:
    """The type of a JSON value."""
    if isinstance(value, list):
        if not value:
            return Type("list")  # of nothing yet
        item: Type | None = type_of(value[0])
        for v in value[1:]:
            item = item and join_types(item, type_of(v))
        return list_of(item or Type("any"))
    if isinstance(value, dict):
        return Type("struct", fields=tuple((str(k), type_of(v)) for k, v in value.items()))
    return _SCALARS[type(value)]


def join_types(a: Type, b: Type) -> Type | None:
    """The type that holds values of both; None if there is none. Integers are also floats."""
    nullable = a.nullable or b.nullable
    if a.kind == "null" or b.kind == "null":
        return (b if a.kind == "null" else a).maybe()
    if {a.kind, b.kind} == {"int", "float"}:
        return FLOAT.maybe(nullable)
    if a.kind != b.kind:
        return None
    if a.kind == "list":
        if a.item is None or b.item is None:
            return replace(a, item=a.item or b.item, nullable=nullable)
        item = join_types(a.item, b.item)
        return replace(a, item=item, nullable=nullable) if item else None
    if a.kind == "struct":
        return _join_structs(a, b, nullable)
    return a.maybe(nullable)


def _join_structs(a: Type, b: Type, nullable: bool) -> Type | None:
    left, right = dict(a.fields), dict(b.fields)
    fields: list[tuple[str, Type]] = []
    for name in {**left, **right}:
        joined = join_types(left.get(name, NULL), right.get(name, NULL))
        if joined is None:
            return None
        fields.append((name, joined))
    return Type("struct", nullable, fields=tuple(fields))


def common_type(values: Iterable[Any]) -> Type:
    """The type that most values have, nullable if any value is null.

    Only nulls give `str?`: the commonest type of a column that is rarely filled.
    """
    return commonest(map(type_of, values))


def commonest(kinds: Iterable[Type]) -> Type:
    """The type that most of some types join to; see `common_type`."""
    groups: list[tuple[Type, int]] = []
    nullable = False
    for found in kinds:
        if found.kind == "null":
            nullable = True
            continue
        for i, (kind, count) in enumerate(groups):
            if joined := join_types(kind, found):
                groups[i] = (joined, count + 1)
                break
        else:
            groups.append((found, 1))
    if not groups:
        return STR.maybe()
    best = _settle(max(groups, key=lambda g: g[1])[0])
    return best.maybe(nullable or best.nullable)


def _settle(kind: Type) -> Type:
    """Text for what the sample shows nothing of: always null, or in lists that are all empty."""
    if kind.kind == "null":
        return STR.maybe()
    if kind.kind == "list":
        return replace(kind, item=_settle(kind.item or STR))
    if kind.kind == "struct":
        return replace(kind, fields=tuple((n, _settle(t)) for n, t in kind.fields))
    return kind


def fits(value: Any, kind: Type) -> bool:
    """Whether a JSON value can stand in a column of a type. Null always can."""
    if value is None:
        return True
    match kind.kind:
        case "str":
            return isinstance(value, str) and "\0" not in value
        case "int":
            return type(value) is int and -_LARGEST <= value < _LARGEST
        case "float":
            return type(value) is float or type(value) is int
        case "bool":
            return isinstance(value, bool)
        case "list":
            item = kind.item or STR
            return isinstance(value, list) and all(fits(v, item) for v in value)
        case "struct":
            return isinstance(value, dict) and all(fits(value.get(n), t) for n, t in kind.fields)
        case _:
            return False


def polars_type(kind: Type) -> pl.DataType:
    """The polars type of a column."""
    import polars as pl

    match kind.kind:
        case "int":
            return pl.Int64()
        case "float":
            return pl.Float64()
        case "bool":
            return pl.Boolean()
        case "list":
            return pl.List(polars_type(kind.item or STR))
        case "struct":
            return pl.Struct({n: polars_type(t) for n, t in kind.fields})
        case _:
            return pl.String()
