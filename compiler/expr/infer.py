"""The type of an expression over the columns that reach it, and what does not fit."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import NamedTuple

from ..suggest import nearest
from ..types import ANY, BOOL, FLOAT, INT, NULL, STR, Columns, Type
from .calls import CallFault, check_call
from .functions import FUNCTIONS
from .hints import compare_instead, is_fixed, meant_constant, named, never_between, says_nothing
from .kinds import SCALARS, comparable, is_number, unify
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
    split_column,
    walk,
)
from .nullness import NOTHING, Facts, unless_false, unless_true
from .problems import Problem, clip
from .show import show_expr

_DEFAULTS = {"bool": "false", "int": "0", "float": "0.0", "str": "''"}


def infer_type(
    expr: Expr, columns: Columns, *, allow: Collection[str] | None = None
) -> tuple[Type, tuple[Problem, ...]]:
    """The type of an expression, and all that is wrong with it.

    Args:
        expr: What `parse_expr` gave.
        columns: What it may read. A column of kind `any` fits everywhere and is checked when read.
        allow: Names of the functions that may stand here; None for all.

    Returns:
        The type (`any` where a problem leaves it open) and the problems, in the order of the text.
    """
    inference = _Inference(columns, allow)
    known = inference.visit(expr, NOTHING)
    return known.type, tuple(sorted(inference.problems, key=lambda p: (p.start, p.end, p.code)))


class _Known(NamedTuple):
    """A type, and the nullable column to blame if it may be null and nothing has spoken for it.

    Nulls that arise here (a division by zero, an item that is not there) are nobody's column.
    """

    type: Type
    cause: Expr | None = None


_UNKNOWN = _Known(ANY)


class _Inference:
    def __init__(self, columns: Columns, allow: Collection[str] | None) -> None:
        self.columns = columns
        self.allow = allow
        self.problems: list[Problem] = []

    def visit(self, expr: Expr, facts: Facts) -> _Known:
        known = self._infer(expr, facts)
        if expr in facts:
            return _Known(known.type.maybe(False))
        return known

    def _infer(self, expr: Expr, facts: Facts) -> _Known:
        match expr:
            case Constant():
                return _Known(_constant_type(expr))
            case Column():
                return self._column(expr)
            case Field():
                return self._field(expr, facts)
            case Index():
                return self._index(expr, facts)
            case Items():
                return self._items(expr, facts)
            case Negate():
                return self._negate(expr, facts)
            case Arithmetic():
                return self._arithmetic(expr, facts)
            case Compare():
                return self._compare(expr, facts)
            case Member():
                return self._member(expr, facts)
            case IsNull():
                self.visit(expr.operand, facts)
                return _Known(BOOL)
            case Not():
                known = self._condition(expr.operand, facts, "`not`")
                return _Known(BOOL.maybe(known.type.nullable), known.cause)
            case Logic():
                return self._logic(expr, facts)
            case IfElse():
                return self._if_else(expr, facts)
            case Call():
                return self._call(expr, facts)

    def _tell(
        self, code: str, at: Expr, message: str, help: str | None = None, mend: str | None = None
    ) -> _Known:
        self.problems.append(Problem(code, message, at.start, at.end, help, mend))
        return _UNKNOWN

    def _column(self, expr: Column) -> _Known:
        split = split_column(expr.name, self.columns)
        if split is None:
            return self._unknown_column(expr)
        name, path = split
        type, nullable = self.columns[name], self.columns[name].nullable
        for part in path:
            found = _field_type(type, part)
            if found is None:
                return self._no_field(expr, name, type, part)
            type, name, nullable = found, f"{name}.{part}", nullable or found.nullable
        type = type.maybe(nullable)
        return _Known(type, expr if nullable and type.kind != "any" else None)

    def _unknown_column(self, expr: Column) -> _Known:
        message = f"no column `{clip(expr.name)}` here"
        if expr.name in FUNCTIONS:
            signature = FUNCTIONS[expr.name].signature
            return self._tell("X151", expr, message, f"`{signature}` is a function")
        near = meant_constant(expr.name) or nearest(expr.name, self.columns)
        if near:
            return self._tell("X151", expr, message, f"did you mean `{near}`?", near)
        shown = ", ".join(f"`{name}`" for name in list(self.columns)[:8])
        more = ", …" if len(self.columns) > 8 else ""
        help = f"there is {shown}{more}; a text is written `'{clip(expr.name)}'`"
        return self._tell("X151", expr, message, help if shown else None)

    def _no_field(self, expr: Expr, name: str, type: Type, part: str) -> _Known:
        message = f"`{name}` ({type}) has no field `{part}`"
        near = nearest(part, (field for field, _ in type.fields))
        help = f"did you mean `{near}`?" if near else None
        place = (expr.end - len(part), expr.end)
        # A path may go on behind the field, and its end is then not the field's.
        if isinstance(expr, Column) and not expr.name.endswith(f".{part}"):
            place, near = (expr.start, expr.end), None
        self.problems.append(Problem("X151", message, *place, help, near))
        return _UNKNOWN

    def _field(self, expr: Field, facts: Facts) -> _Known:
        base = self.visit(expr.base, facts)
        found = _field_type(base.type, expr.name)
        if found is None:
            return self._no_field(expr, show_expr(expr.base), base.type, expr.name)
        cause = base.cause or (expr if found.nullable and found.kind != "any" else None)
        return _Known(found.maybe(found.nullable or base.type.nullable), cause)

    def _index(self, expr: Index, facts: Facts) -> _Known:
        base, index = self.visit(expr.base, facts), self.visit(expr.index, facts)
        if index.type.kind not in ("int", "any", "null"):
            self._tell("X152", expr.index, f"an index is an int, not {index.type}")
        if base.type.kind in ("any", "null"):
            return base
        if base.type.kind != "list":
            return self._tell("X152", expr.base, f"only a list has items, not {base.type}")
        return _Known((base.type.item or NULL).maybe(), base.cause or index.cause)

    def _items(self, expr: Items, facts: Facts) -> _Known:
        item: Type | None = None
        for part in expr.items:
            type = self.visit(part, facts).type
            if type.kind not in SCALARS | {"any", "null"}:
                return self._tell("X152", part, f"a list here holds plain values, not {type}")
            both = type if item is None else unify(item, type)
            if both is None:
                return self._tell("X152", part, f"a list holds one type, not {item} and {type}")
            item = both
        return _Known(Type("list", item=item))

    def _negate(self, expr: Negate, facts: Facts) -> _Known:
        known = self.visit(expr.operand, facts)
        if not is_number(known.type):
            return self._tell("X152", expr.operand, f"`-` takes a number, not {known.type}")
        return known

    def _arithmetic(self, expr: Arithmetic, facts: Facts) -> _Known:
        left, right = self.visit(expr.left, facts), self.visit(expr.right, facts)
        kinds = {left.type.kind, right.type.kind}
        cause = left.cause or right.cause
        nullable = left.type.nullable or right.type.nullable
        if self._always_null(expr.left, left) or self._always_null(expr.right, right):
            return _UNKNOWN
        if expr.op == "+" and "str" in kinds and kinds <= {"str", "any", "null"}:
            return _Known(STR.maybe(nullable), cause)
        if not (is_number(left.type) and is_number(right.type)):
            takes = "two numbers or two texts" if expr.op == "+" else "numbers"
            message = f"`{expr.op}` takes {takes}, not {left.type} and {right.type}"
            help = "write `str(x)` for the text of a number" if "str" in kinds else None
            return self._tell("X152", expr, message, help if expr.op == "+" else None)
        if expr.op in ("/", "//", "%"):
            if isinstance(expr.right, Constant) and expr.right.value == 0:
                self._tell("X154", expr.right, "a division by zero is always null")
            nullable |= not isinstance(expr.right, Constant) or expr.right.value == 0
        if expr.op == "/":
            return _Known(FLOAT.maybe(nullable), cause)
        both = unify(left.type, right.type) or FLOAT
        return _Known(both.maybe(nullable), cause)

    def _compare(self, expr: Compare, facts: Facts) -> _Known:
        known = [self.visit(operand, facts) for operand in expr.operands]
        pairs = zip(expr.operands, expr.operands[1:], strict=False)
        for i, (op, (a, b)) in enumerate(zip(expr.ops, pairs, strict=True)):
            left, right = known[i].type, known[i + 1].type
            if (_is_null(a) and left.nullable) or (_is_null(b) and right.nullable):
                self._compares_null(expr, op, a, b)
                known = [_UNKNOWN]
                break
            if not comparable(left, right):
                message = f"cannot compare {named(a, left)} with {named(b, right)}"
                self._tell("X152", expr, message, compare_instead(op, a, left, b, right))
            elif op not in ("==", "!=") and "bool" in (left.kind, right.kind):
                self._tell("X152", expr, f"`{op}` orders numbers or texts, not bool")
            elif a == b and not left.nullable and not is_fixed(a):
                self._tell("X154", expr, "both sides are the same")
        if never_between(expr):
            turned = replace(expr, operands=expr.operands[::-1])
            help = f"did you mean `{clip(show_expr(turned))}`?"
            self._tell("X154", expr, "this is never true: nothing lies between its ends", help)
        self._say_null(*known)
        return _Known(BOOL.maybe(any(k.type.nullable for k in known)))

    def _compares_null(self, expr: Compare, op: str, a: Expr, b: Expr) -> None:
        test = IsNull(b if _is_null(a) else a, op == "!=")
        sure = len(expr.ops) == 1 and op in ("==", "!=")
        text = show_expr(test)
        message = f"`{op} null` is never true: a comparison with null is null"
        self._tell("X153", expr, message, f"write `{text}`", text if sure else None)

    def _say_null(self, *known: _Known) -> None:
        for cause in dict.fromkeys(k.cause for k in known if k.cause is not None):
            type = next(k.type for k in known if k.cause == cause)
            shown = show_expr(cause)
            value = _DEFAULTS.get(self._quiet(cause).kind, _DEFAULTS.get(type.kind, "…"))
            message = f"`{shown}` may be null, and nothing says what that means here"
            text = f"coalesce({shown}, {value})"
            help = f"write `{text}`, or `{shown} is not null and …`"
            self._tell("X153", cause, message, help, None if value == "…" else text)

    def _quiet(self, expr: Expr) -> Type:
        return _Inference(self.columns, None).visit(expr, NOTHING).type

    def _member(self, expr: Member, facts: Facts) -> _Known:
        item, container = self.visit(expr.item, facts), self.visit(expr.container, facts)
        word = "not in" if expr.negated else "in"
        if _is_null(expr.item):
            return self._tell("X153", expr, f"`null {word}` is always null", "write `x is null`")
        if container.type.kind == "str":
            call: Expr = Call("contains", (expr.container, expr.item))
            text = show_expr(Not(call) if expr.negated else call)
            message = f"`{word}` looks into a list, not into a text"
            return self._tell("X152", expr, message, f"write `{text}`", text)
        if container.type.kind not in ("list", "any", "null"):
            message = f"`{word}` looks into a list, not {container.type}"
            return self._tell("X152", expr.container, message)
        if isinstance(expr.container, Items) and not expr.container.items:
            self._tell("X154", expr.container, "nothing is in an empty list")
        inner = container.type.item or ANY
        if item.type.kind not in SCALARS | {"any", "null"} or not comparable(item.type, inner):
            message = f"a list of {inner.maybe(False)} never holds {item.type.maybe(False)}"
            return self._tell("X152", expr, message)
        self._say_null(item, container)
        return _Known(BOOL.maybe(item.type.nullable or container.type.nullable))

    def _condition(self, expr: Expr, facts: Facts, where: str) -> _Known:
        known = self.visit(expr, facts)
        if self._always_null(expr, known):
            return _UNKNOWN
        if known.type.kind not in ("bool", "any", "null"):
            help = "write what it is compared with, such as `… > 0`"
            return self._tell("X152", expr, f"{where} takes a bool, not {known.type}", help)
        return known

    def _logic(self, expr: Logic, facts: Facts) -> _Known:
        says = unless_false if expr.op == "and" else unless_true
        said = [says(operand) for operand in expr.operands]
        known = [
            self._condition(operand, facts.union(*said[:i], *said[i + 1 :]), f"`{expr.op}`")
            for i, operand in enumerate(expr.operands)
        ]
        if not is_fixed(expr):
            for operand, k in zip(expr.operands, known, strict=True):
                if is_fixed(operand) and k is not _UNKNOWN:
                    self._tell("X154", operand, says_nothing(expr.op, operand))
        cause = next((k.cause for k in known if k.cause is not None), None)
        return _Known(BOOL.maybe(any(k.type.nullable for k in known)), cause)

    def _if_else(self, expr: IfElse, facts: Facts) -> _Known:
        asked = self._condition(expr.condition, facts, "`if`")
        if is_fixed(expr.condition) and asked is not _UNKNOWN:
            self._tell("X154", expr.condition, "this condition is the same for every row")
        then = self.visit(expr.then, facts | unless_false(expr.condition))
        otherwise = self.visit(expr.otherwise, facts | unless_true(expr.condition))
        both = unify(then.type, otherwise.type)
        if both is None:
            message = f"both sides of `if` give one type, not {then.type} and {otherwise.type}"
            return self._tell("X152", expr, message)
        return _Known(both, then.cause or otherwise.cause)

    def _call(self, expr: Call, facts: Facts) -> _Known:
        known = [self.visit(arg, facts) for arg in expr.args]
        name = Column(expr.name, start=expr.start, end=expr.start + len(expr.name))
        if self.allow is not None and expr.name in FUNCTIONS and expr.name not in self.allow:
            return self._tell("X151", name, f"`{expr.name}` cannot be used here")
        if expr.name not in FUNCTIONS:
            near = nearest(expr.name, self.allow if self.allow is not None else FUNCTIONS)
            help = f"did you mean `{near}`?" if near else "functions: " + ", ".join(FUNCTIONS)
            return self._tell("X151", name, f"no function `{clip(expr.name)}`", help, near)
        function = FUNCTIONS[expr.name]
        result = check_call(function, expr, [k.type for k in known])
        if isinstance(result, CallFault):
            return self._tell(result.code, result.at, result.message, result.help)
        for arg, k in zip(expr.args, known, strict=True):
            if function.nulls != "first" and self._always_null(arg, k):
                return _UNKNOWN
        cause = next((k.cause for k in known if k.cause is not None), None)
        if function.nulls == "first":
            nullable = all(k.type.nullable for k in known)
            return _Known(result.maybe(nullable), cause if nullable else None)
        nullable = function.nulls == "may arise" or result.nullable
        nullable |= any(k.type.nullable for k in known)
        if expr.name == "choose" and isinstance(expr.args[0], Items):
            nullable = result.nullable
        return _Known(result.maybe(nullable), cause)

    def _always_null(self, expr: Expr, known: _Known) -> bool:
        """Whether it can be nothing but null; a column of nulls may well hold more tomorrow."""
        if known.type.kind != "null" or not known.type.nullable:
            return False
        if any(isinstance(part, Column) for part in walk(expr)):
            return False
        self._tell("X153", expr, "this is always null", "take it out, or ask `… is null`")
        return True


def _constant_type(expr: Constant) -> Type:
    match expr.value:
        case None:
            return NULL
        case bool():
            return BOOL
        case int():
            return INT
        case float():
            return FLOAT
        case str():
            return STR


def _field_type(type: Type, name: str) -> Type | None:
    if type.kind in ("any", "null"):
        return type
    return dict(type.fields).get(name) if type.kind == "struct" else None


def _is_null(expr: Expr) -> bool:
    return isinstance(expr, Constant) and expr.value is None
