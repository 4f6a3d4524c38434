"""Syntax tree from grammar rules; this module alone is imported together with lark."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, cast

from lark import Token, Transformer

from .nodes import (
    Arithmetic,
    Call,
    Column,
    Compare,
    Constant,
    Expr,
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


@dataclass(frozen=True, slots=True)
class Part:
    """A node and its place with the parentheses around it, which the node's own does not count."""

    node: Expr
    start: int
    end: int


Piece = Token | Part


class _Builder(Transformer[Token, Part]):
    """One method a rule, called while parsing: deep text never recurses."""

    def group(self, pieces: list[Piece]) -> Part:
        return Part(_nodes(pieces)[0], **_place(pieces))

    def column(self, pieces: list[Piece]) -> Part:
        return _part(pieces, Column, name=str(pieces[0]))

    def integer(self, pieces: list[Piece]) -> Part:
        # Python refuses to read more than 4,300 digits, and 64 bits hold no more than 19.
        digits = str(pieces[0]).lstrip("0")[:20] or "0"
        return _part(pieces, Constant, value=int(digits))

    def number(self, pieces: list[Piece]) -> Part:
        return _part(pieces, Constant, value=float(str(pieces[0])))

    def string(self, pieces: list[Piece]) -> Part:
        return _part(pieces, Constant, value=_unquote(str(pieces[0])))

    def true(self, pieces: list[Piece]) -> Part:
        return _part(pieces, Constant, value=True)

    def false(self, pieces: list[Piece]) -> Part:
        return _part(pieces, Constant, value=False)

    def null(self, pieces: list[Piece]) -> Part:
        return _part(pieces, Constant, value=None)

    def items(self, pieces: list[Piece]) -> Part:
        return _part(pieces, Items, items=_nodes(pieces))

    def call(self, pieces: list[Piece]) -> Part:
        return _part(pieces, Call, name=str(pieces[0]), args=_nodes(pieces))

    def field(self, pieces: list[Piece]) -> Part:
        base, name = _nodes(pieces)[0], str(pieces[-1])
        # Whether `a.b` is a column or a field of one, only the columns can tell.
        if isinstance(base, Column):
            return _part(pieces, Column, name=f"{base.name}.{name}")
        return _part(pieces, Field, base=base, name=name)

    def index(self, pieces: list[Piece]) -> Part:
        base, index = _nodes(pieces)
        return _part(pieces, Index, base=base, index=index)

    def negate(self, pieces: list[Piece]) -> Part:
        (operand,) = _nodes(pieces)
        if isinstance(operand, Constant) and _is_unsigned(operand.value):
            return _part(pieces, Constant, value=-cast(float, operand.value))
        return _part(pieces, Negate, operand=operand)

    def arithmetic(self, pieces: list[Piece]) -> Part:
        left, right = _nodes(pieces)
        return _part(pieces, Arithmetic, op=str(pieces[1]), left=left, right=right)

    def compare(self, pieces: list[Piece]) -> Part:
        ops = tuple(str(piece) for piece in pieces if isinstance(piece, Token))
        return _part(pieces, Compare, operands=_nodes(pieces), ops=ops)

    def member(self, pieces: list[Piece]) -> Part:
        item, container = _nodes(pieces)
        return _part(pieces, Member, item=item, container=container, negated=len(pieces) == 4)

    def is_null(self, pieces: list[Piece]) -> Part:
        return _part(pieces, IsNull, operand=_nodes(pieces)[0], negated=len(pieces) == 4)

    def not_(self, pieces: list[Piece]) -> Part:
        return _part(pieces, Not, operand=_nodes(pieces)[0])

    def logic(self, pieces: list[Piece]) -> Part:
        return _part(pieces, Logic, op=str(pieces[1]), operands=_nodes(pieces))

    def if_else(self, pieces: list[Piece]) -> Part:
        then, condition, otherwise = _nodes(pieces)
        return _part(pieces, IfElse, then=then, condition=condition, otherwise=otherwise)


def tree_builder() -> Transformer[Token, Part]:
    """What lark calls for each rule that it has read; the whole text gives a `Part`."""
    return _Builder()


def _nodes(pieces: list[Piece]) -> tuple[Expr, ...]:
    return tuple(piece.node for piece in pieces if isinstance(piece, Part))


def _place(pieces: list[Piece]) -> dict[str, int]:
    first, last = pieces[0], pieces[-1]
    start = first.start if isinstance(first, Part) else first.start_pos
    end = last.end if isinstance(last, Part) else last.end_pos
    return {"start": cast(int, start), "end": cast(int, end)}


def _part(pieces: list[Piece], kind: type[Any], **fields: Any) -> Part:
    place = _place(pieces)
    return Part(kind(**fields, **place), **place)


def _is_unsigned(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and str(value)[0] != "-"


def _unquote(quoted: str) -> str:
    # Only these are escapes; any other backslash stands for itself, so `'\d+'` is a pattern.
    known = {"\\": "\\", "'": "'", '"': '"', "n": "\n", "r": "\r", "t": "\t"}
    return re.sub(r"\\([\\'\"nrt])", lambda found: known[found[1]], quoted[1:-1])
