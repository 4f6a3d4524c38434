"""How types of the language go together."""

from __future__ import annotations

from ..types import FLOAT, Type, list_of

NUMBERS = frozenset({"int", "float"})
SCALARS = frozenset({"bool", "int", "float", "str"})


def unify(a: Type, b: Type) -> Type | None:
    """The type that holds values of both, or None; an int beside a float becomes one.

    `any` beside a known type is that type's equal and stays `any`; null only makes nullable.
    """
    nullable = a.nullable or b.nullable
    if a.kind == "null":
        return b.maybe()
    if b.kind == "null":
        return a.maybe()
    if "any" in (a.kind, b.kind):
        return a if a.kind == "any" else b
    if a.kind == "list" == b.kind:
        if a.item is None or b.item is None:
            return (b if a.item is None else a).maybe(nullable)
        item = unify(a.item, b.item)
        return item and list_of(item).maybe(nullable)
    if a.maybe(False) == b.maybe(False):
        return a.maybe(nullable)
    if {a.kind, b.kind} == NUMBERS:
        return FLOAT.maybe(nullable)
    return None


def comparable(a: Type, b: Type) -> bool:
    """Whether `==` may stand between them: two texts, two numbers, two booleans."""
    loose = {"any", "null"}
    if a.kind in loose or b.kind in loose:
        return {a.kind, b.kind} <= SCALARS | loose
    return a.kind == b.kind in SCALARS or {a.kind, b.kind} == NUMBERS


def is_number(type: Type) -> bool:
    """Whether arithmetic may use it."""
    return type.kind in NUMBERS or type.kind in ("any", "null")
