"""Types of columns, and the schema that flows along an edge of the graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["bool", "int", "float", "str", "list", "struct", "null", "any"]


@dataclass(frozen=True, slots=True)
class Type:
    """The type of a column or expression.

    `any` is a column whose type is not known before its data is read: it is compatible with every
    type and is checked when it is read.
    """

    kind: Kind
    nullable: bool = False
    item: Type | None = None
    fields: tuple[tuple[str, Type], ...] = ()

    def __str__(self) -> str:
        if self.kind == "list":
            name = f"list[{self.item}]"
        elif self.kind == "struct":
            name = "{" + ", ".join(f"{n}: {t}" for n, t in self.fields) + "}"
        else:
            name = self.kind
        return f"{name}?" if self.nullable else name

    def maybe(self, nullable: bool = True) -> Type:
        """The same type that may (or may not) be null."""
        return self if self.nullable == nullable else replace(self, nullable=nullable)


BOOL, INT, FLOAT, STR, NULL = (
    Type("bool"),
    Type("int"),
    Type("float"),
    Type("str"),
    Type("null", nullable=True),
)
ANY = Type("any", nullable=True)

Columns = Mapping[str, Type]
"""Column name to type, in order. Dotted names (`input.text`) are columns of their own."""


def list_of(item: Type) -> Type:
    """The type of lists of `item`."""
    return Type("list", item=item)
