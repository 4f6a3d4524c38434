"""Regular expressions that stand in an expression."""

from __future__ import annotations

import re

from .functions import FUNCTIONS
from .nodes import Call, Constant, Expr, walk

# An escape; a class, whose first `]` is a letter; or a parenthesis with what says its kind.
_PIECE = re.compile(
    r"\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\((\?P?<[A-Za-z_]|\?)?", re.DOTALL
)


def patterns(expr: Expr) -> tuple[tuple[str, int, int], ...]:
    """The regular expressions that stand in it as text, each with its place."""
    calls = (node for node in walk(expr) if isinstance(node, Call) and node.name in FUNCTIONS)
    return tuple(
        (arg.value, arg.start, arg.end)
        for call in calls
        for i, arg in enumerate(call.args)
        if FUNCTIONS[call.name].parameter(i).pattern
        and isinstance(arg, Constant)
        and isinstance(arg.value, str)
    )


def groups(pattern: str) -> int:
    r"""How many groups a regular expression captures, as far as its text tells.

    Example:
        >>> groups(r"(a)(?:b)(?P<c>[(])\(")
        2
    """
    opened = (m[1] for m in _PIECE.finditer(pattern) if m[0].startswith("("))
    return sum(kind is None or kind != "?" for kind in opened)
