"""What to write instead of an expression that does not fit."""

from __future__ import annotations

from ..types import Type
from .kinds import NUMBERS
from .nodes import Compare, Constant, Expr, columns_read
from .show import show_expr

_SHOWN = 32
"""Characters of an operand that a message shows."""


def named(expr: Expr, type: Type) -> str:
    """An operand as a message names it: its type, and itself if it is short."""
    text = show_expr(expr)
    kind = str(type.maybe(False))
    return f"{kind} `{text}`" if len(text) <= _SHOWN and len(kind) <= _SHOWN else kind


def compare_instead(op: str, left: Expr, a: Type, right: Expr, b: Type) -> str | None:
    """What says the most likely meaning of a comparison of types that do not go together."""
    if a.kind == b.kind == "list":
        return "compare what is asked of them: `len(…)`, `…[0]`, `'a' in …`"
    plain = a.kind not in ("list", "struct")
    if plain and (b.kind in ("list", "struct") or (b.kind == "str" and a.kind in NUMBERS)):
        mirrored = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
        return compare_instead(mirrored.get(op, op), right, b, left, a)
    this, other = show_expr(left), show_expr(right)
    if a.kind == "struct":
        return "compare its fields: " + ", ".join(f"`{this}.{name}`" for name, _ in a.fields[:3])
    if a.kind == "list" and op in ("==", "!="):
        return f"write `{other} {'in' if op == '==' else 'not in'} {this}`"
    if a.kind == "list" and b.kind in NUMBERS:
        every, some = ("min", "max") if op in (">", ">=") else ("max", "min")
        return f"write `{every}({this}) {op} {other}` for all items, `{some}(…)` for any"
    if a.kind == "str" and b.kind in NUMBERS:
        if isinstance(left, Constant) and _is_number(str(left.value)):
            return f"write `{left.value}`, without quotes"
        return f"write `float({this})`"
    return None


def never_between(expr: Compare) -> bool:
    """Whether a chain asks for a number above its greatest: `2000 <= words(text) <= 50`."""
    first, last = expr.operands[0], expr.operands[-1]
    falls = set(expr.ops) <= {">", ">="}
    if len(expr.ops) < 2 or not (falls or set(expr.ops) <= {"<", "<="}):
        return False
    if not isinstance(first, Constant) or not isinstance(last, Constant):
        return False
    low, high = (last.value, first.value) if falls else (first.value, last.value)
    if isinstance(low, str | bool | None) or isinstance(high, str | bool | None):
        return False
    return low > high or (low == high and bool({"<", ">"} & set(expr.ops)))


def is_fixed(expr: Expr) -> bool:
    """Whether it has the same value in every row."""
    return not columns_read(expr)


def says_nothing(op: str, operand: Expr) -> str:
    """What a part of `and` or `or` that is the same for every row does to the whole."""
    if isinstance(operand, Constant) and isinstance(operand.value, bool):
        word = "true" if operand.value else "false"
        if operand.value == (op == "or"):
            return f"`{word} {op} …` is always {word}"
        return f"`{word} {op} …` is what the rest is"
    return "this part is the same for every row"


def meant_constant(name: str) -> str | None:
    """`null`, `true` or `false`, if a name is another spelling of it."""
    spellings = {"none": "null", "nil": "null", "na": "null", "undefined": "null"}
    word = spellings.get(name.lower(), name.lower())
    return word if word in ("null", "true", "false") else None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
