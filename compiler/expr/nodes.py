"""The syntax tree of an expression: frozen values that compare without their places."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

MAX_DEPTH = 64
"""No expression nests deeper, so every walk over one may recurse."""

INT_MIN, INT_MAX = -(2**63), 2**63 - 1
"""The integers of the language are polars' Int64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What all nodes have: the half-open range of characters of the text that they came from."""

    start: int = field(default=0, compare=False, repr=False)
    end: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Constant(Node):
    """`3`, `0.5`, `'text'`, `true`, `null`. A minus before a number is part of it."""

    value: bool | int | float | str | None

    # Python's 1 == True == 1.0, but they are three constants of the language.
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constant) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[type, object]:
        return type(self.value), self.value


@dataclass(frozen=True, slots=True)
class Items(Node):
    """`[a, b]`."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Column(Node):
    """`score`, `input.text`, `meta.lang`: a column, or a field of a struct column."""

    name: str


@dataclass(frozen=True, slots=True)
class Field(Node):
    """`xs[0].name`: a field of a struct that is not itself a column."""

    base: Expr
    name: str


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`xs[0]`; counts from the end below 0, null outside the list."""

    base: Expr
    index: Expr


@dataclass(frozen=True, slots=True)
class Negate(Node):
    """`-x`."""

    operand: Expr


ArithmeticOp: TypeAlias = Literal["+", "-", "*", "/", "//", "%"]
CompareOp: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """`a + b` and the like."""

    op: ArithmeticOp
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Not(Node):
    """`not a`."""

    operand: Expr


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """`a and b and c`, or the same with `or`."""

    op: Literal["and", "or"]
    operands: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """`a < b <= c`: one operator fewer than operands."""

    operands: tuple[Expr, ...]
    ops: tuple[CompareOp, ...]


@dataclass(frozen=True, slots=True)
class Member(Node):
    """`a in b`, `a not in b`."""

    item: Expr
    container: Expr
    negated: bool


@dataclass(frozen=True, slots=True)
class IsNull(Node):
    """`a is null`, `a is not null`."""

    operand: Expr
    negated: bool


@dataclass(frozen=True, slots=True)
class IfElse(Node):
    """`then if condition else otherwise`; a null condition takes `otherwise`."""

    then: Expr
    condition: Expr
    otherwise: Expr


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`words(text)`; starts with the name."""

    name: str
    args: tuple[Expr, ...]


Expr: TypeAlias = (
    Constant
    | Items
    | Column
    | Field
    | Index
    | Negate
    | Arithmetic
    | Not
    | Logic
    | Compare
    | Member
    | IsNull
    | IfElse
    | Call
)


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct operands, in the order of the text."""
    match expr:
        case Constant() | Column():
            return ()
        case Items(items=parts) | Logic(operands=parts) | Compare(operands=parts):
            return parts
        case Call(args=parts):
            return parts
        case Field(base=part):
            return (part,)
        case Negate(operand=part) | Not(operand=part) | IsNull(operand=part):
            return (part,)
        case Index(base=left, index=right) | Member(item=left, container=right):
            return left, right
        case Arithmetic(left=left, right=right):
            return left, right
        case IfElse(then=then, condition=condition, otherwise=otherwise):
            return then, condition, otherwise


def walk(expr: Expr) -> Iterator[Expr]:
    """The expression and everything inside it, in the order of the text, of any depth."""
    todo = [expr]
    while todo:
        node = todo.pop()
        yield node
        todo.extend(reversed(children(node)))


def split_column(name: str, columns: Collection[str]) -> tuple[str, tuple[str, ...]] | None:
    """The longest column that a dotted name begins with, and the struct fields that follow.

    None if no column of `columns` begins it.
    """
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        if (head := ".".join(parts[:n])) in columns:
            return head, tuple(parts[n:])
    return None


def columns_read(expr: Expr, columns: Collection[str] | None = None) -> frozenset[str]:
    """The columns whose values decide the result; `choose` reads `_doc`.

    Names come as they are written (`input.text`, `meta.lang`). With `columns`, a field of a struct
    column is given as the column (`meta`), and names that are no column are left as they are.
    """
    found: set[str] = set()
    for node in walk(expr):
        if isinstance(node, Column):
            split = None if columns is None else split_column(node.name, columns)
            found.add(split[0] if split else node.name)
        elif isinstance(node, Call) and node.name == "choose":
            found.add("_doc")
    return frozenset(found)


def is_random(expr: Expr) -> bool:
    """Whether it draws (`choose`), so that its place in the recipe is part of its meaning."""
    return any(isinstance(node, Call) and node.name == "choose" for node in walk(expr))


def token_counts(expr: Expr) -> tuple[Call, ...]:
    """The calls of `tokens`, inner ones first, each once: what to count before it is computed."""
    found = [node for node in walk(expr) if isinstance(node, Call) and node.name == "tokens"]
    return tuple(dict.fromkeys(reversed(found)))
