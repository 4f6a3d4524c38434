"""Text to syntax tree."""

from __future__ import annotations

import math
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from .nodes import INT_MAX, INT_MIN, MAX_DEPTH, Column, Constant, Expr, children, walk
from .problems import Problem

if TYPE_CHECKING:
    from lark import Lark

MAX_LENGTH = 20_000
"""Longest text of an expression, in characters."""

_PYTHON = {"True": "true", "False": "false", "None": "null"}


@lru_cache(maxsize=1024)
def parse_expr(text: str) -> tuple[Expr | None, tuple[Problem, ...]]:
    """Parse an expression; never raises.

    Returns:
        The tree and nothing, or None and what stopped it. Only the first fault of syntax is told.
    """
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken

    if len(text) > MAX_LENGTH:
        return None, (_syntax(f"an expression is at most {MAX_LENGTH:,} characters", 0, len(text)),)
    try:
        expr: Expr = _parser().parse(text).node  # type: ignore[attr-defined]
    except UnexpectedCharacters as fault:
        from .slips import explain_slip

        return None, (
            explain_slip(text, fault.pos_in_stream or 0, operand="NAME" in (fault.allowed or ())),
        )
    except UnexpectedToken as fault:
        from .slips import explain_slip

        at_end = fault.token.type == "$END"
        start = len(text.rstrip()) if at_end else fault.token.start_pos
        return None, (explain_slip(text, start, operand="NAME" in fault.expected),)
    problems = tuple(_check_depth(expr)) or tuple(_check_constants(expr))
    return (None, problems) if problems else (expr, ())


def _syntax(message: str, start: int, end: int, help: str | None = None) -> Problem:
    return Problem("X150", message, start, end, help)


@cache
def _parser() -> Lark:
    # The tables take about as long as importing lark itself, so both wait for the first expression.
    from lark import Lark

    from .build import tree_builder

    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(
        grammar,
        start="expr",
        parser="lalr",
        keep_all_tokens=True,
        maybe_placeholders=False,
        cache=_tables(),
        transformer=tree_builder(),
    )


def _tables() -> str | bool:
    """Where lark keeps its tables: beside the byte code, if Python keeps that.

    Reading them takes a tenth of the time of making them, which is an eighth of a short `check`.
    They hold a digest of the grammar, of lark's version and of Python's; a file that cannot be read
    or written costs no more than that time.
    """
    folder = Path(__file__).parent / "__pycache__"
    return str(folder / "grammar.tables") if folder.is_dir() else False


def _check_depth(expr: Expr) -> list[Problem]:
    todo = [(expr, 1)]
    while todo:
        node, depth = todo.pop()
        if depth > MAX_DEPTH:
            message = f"an expression nests at most {MAX_DEPTH} deep"
            return [_syntax(message, node.start, node.end)]
        todo.extend((child, depth + 1) for child in reversed(children(node)))
    return []


def _check_constants(expr: Expr) -> list[Problem]:
    problems = []
    for node in walk(expr):
        match node:
            case Column(name=name) if name in _PYTHON:
                word = _PYTHON[name]
                message = f"`{name}` is written `{word}`"
                help = f"write `{word}`"
                problems.append(Problem("X150", message, node.start, node.end, help, word))
            case Constant(value=bool()):
                pass
            case Constant(value=int(value)) if not INT_MIN <= value <= INT_MAX:
                message = "an integer is at most 64 bits wide"
                help = f"the largest is {INT_MAX}; a fraction (`1e20`) has more room"
                problems.append(_syntax(message, node.start, node.end, help))
            case Constant(value=float(value)) if not math.isfinite(value):
                message = "a number is at most about 1.8e308"
                problems.append(_syntax(message, node.start, node.end))
            case Constant(value=str(value)) if any("\ud800" <= c <= "\udfff" for c in value):
                message = "a text holds half of a surrogate pair, which is no character"
                problems.append(_syntax(message, node.start, node.end))
            case _:
                pass
    return problems
