"""Random well-typed expressions, and rows to evaluate them on."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from mashbill.compiler.expr.nodes import (
    Arithmetic,
    ArithmeticOp,
    Call,
    Column,
    Compare,
    CompareOp,
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
from mashbill.compiler.types import BOOL, FLOAT, INT, STR, Columns, Type, list_of


def modest(examples: int) -> settings:
    """Settings for properties over whole expressions, which take a while to draw."""
    slow = (HealthCheck.too_slow, HealthCheck.data_too_large)
    return settings(max_examples=examples, deadline=None, suppress_health_check=slow)


META = Type("struct", True, fields=(("lang", STR.maybe()), ("year", INT.maybe())))
PERSON = Type("struct", True, fields=(("name", STR.maybe()), ("age", INT.maybe())))
COLUMNS: Columns = {
    "i": INT.maybe(),
    "j": INT.maybe(),
    "f": FLOAT.maybe(),
    "g": FLOAT.maybe(),
    "text": STR.maybe(),
    "input.text": STR.maybe(),
    "p": BOOL.maybe(),
    "q": BOOL.maybe(),
    "ints": list_of(INT.maybe()).maybe(),
    "floats": list_of(FLOAT.maybe()).maybe(),
    "tags": list_of(STR.maybe()).maybe(),
    "votes": list_of(BOOL.maybe()).maybe(),
    "people": list_of(PERSON).maybe(),
    "meta": META,
}
_NAMES = {
    "int": ("i", "j", "meta.year"),
    "float": ("f", "g"),
    "str": ("text", "input.text", "meta.lang"),
    "bool": ("p", "q"),
    "ints": ("ints",),
    "floats": ("floats",),
    "strs": ("tags",),
    "bools": ("votes",),
}
_ITEMS = {"int": "ints", "float": "floats", "str": "strs", "bool": "bools"}
PATTERNS = st.sampled_from([r"^a", "[ab]+$", r"Z.", "é", r"\S\s", "(?i)A B"])

INTS = st.integers(-3, 12) | st.sampled_from([2**63 - 1, -(2**63), 2**53 + 1])
FLOATS = st.sampled_from([0.0, -0.0, 1.0, 0.5, -2.5, 7.25, 1e18, 1e300, 5e-324, 2.0**53])
SPECIAL = st.sampled_from([float("nan"), float("inf"), float("-inf")])
TEXTS = st.text("ab Zé\n\u3000\\'", max_size=6) | st.sampled_from(["12", "-3", "1.5", "a b"])
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "int": INTS,
    "float": FLOATS,
    "str": TEXTS,
    "bool": st.booleans(),
}


def _cell(type: Type) -> st.SearchStrategy[Any]:
    if type.kind == "list":
        assert type.item
        values: st.SearchStrategy[Any] = st.lists(_cell(type.item), max_size=3)
    elif type.kind == "struct":
        values = st.fixed_dictionaries({n: _cell(t) for n, t in type.fields})
    else:
        values = _VALUES[type.kind] | (SPECIAL if type.kind == "float" else st.nothing())
    return st.none() | values if type.nullable else values


ROWS = st.lists(
    st.fixed_dictionaries({name: _cell(type) for name, type in COLUMNS.items()}),
    min_size=1,
    max_size=4,
)


def whole(type: Type) -> Type:
    """The type without nulls anywhere."""
    fields = tuple((name, whole(inner)) for name, inner in type.fields)
    return Type(type.kind, False, type.item and whole(type.item), fields)


WHOLE: Columns = {name: whole(type) for name, type in COLUMNS.items()}
WHOLE_ROWS = st.lists(
    st.fixed_dictionaries({name: _cell(type) for name, type in WHOLE.items()}),
    min_size=1,
    max_size=3,
)
KINDS = st.sampled_from(["bool", "int", "float", "str"])


@st.composite
def expressions(draw: st.DrawFn, kind: str = "bool", depth: int = 4) -> Expr:
    """An expression of a kind: bool, int, float, str, or `ints`, `floats`, `strs`, `bools`."""

    def sub(kind: str) -> Expr:
        return draw(expressions(kind, depth - 1))

    if depth == 0 or draw(st.integers(0, 4)) == 0:
        return draw(_leaves(kind))
    form = draw(st.sampled_from(_FORMS[kind] + _ANYWHERE))
    match form:
        case "leaf":
            return draw(_leaves(kind))
        case "if":
            return IfElse(sub(kind), sub("bool"), sub(kind))
        case "if null":
            return IfElse(sub(kind), sub("bool"), Constant(None))
        case "coalesce":
            return Call("coalesce", (sub(kind), sub(kind)))
        case "negate":
            return negate(sub(kind))
        case "arithmetic":
            ops: list[ArithmeticOp] = ["+", "-", "*", "//", "%"]
            if kind == "float":
                ops.append("/")
            right = draw(st.sampled_from(["int", "float"])) if kind == "float" else kind
            return Arithmetic(draw(st.sampled_from(ops)), sub(kind), sub(right))
        case "divide":
            return Arithmetic("/", sub("int"), sub("int"))
        case "concatenate":
            return Arithmetic("+", sub("str"), sub("str"))
        case "item":
            return Index(sub(_ITEMS[kind]), sub("int"))
        case "items":
            item = {v: k for k, v in _ITEMS.items()}[kind]
            return Items(tuple(sub(item) for _ in range(draw(st.integers(1, 3)))))
        case "not":
            return Not(sub("bool"))
        case "logic":
            operands = tuple(sub("bool") for _ in range(draw(st.integers(2, 3))))
            return Logic(draw(st.sampled_from(["and", "or"])), operands)
        case "compare":
            return draw(_comparisons(depth))
        case "member":
            item = draw(st.sampled_from(["int", "float", "str"]))
            other = draw(st.sampled_from(["int", "float"])) if item != "str" else item
            return Member(sub(item), sub(_ITEMS[other]), draw(st.booleans()))
        case "is null":
            return IsNull(sub(draw(st.sampled_from(list(_NAMES)))), draw(st.booleans()))
        case "matches":
            return Call("matches", (sub("str"), Constant(draw(PATTERNS))))
        case "any" | "all" | "count" | "frac":
            of = ["bools", "strs"] if kind == "bool" else ["bools", "strs", "str"]
            if (asked := draw(st.sampled_from(of))) == "bools":
                return Call(form, (sub("bools"),))
            return Call(form, (sub(asked), Constant(draw(PATTERNS))))
        case "extreme":
            return Call(draw(st.sampled_from(["min", "max"])), (sub(_ITEMS[kind]),))
        case "extract":
            text, group = sub("str"), draw(st.integers(0, 2))
            plain = Call(form, (text, Constant(draw(PATTERNS))))
            grouped = Call(form, (text, Constant("([ab])(é)?(?:x|\n)*"), Constant(group)))
            return draw(st.sampled_from([plain, grouped]))
        case "split":
            separator = draw(st.sampled_from([None, " ", "a", "\n", "b "]))
            return Call(form, (sub("str"), *([Constant(separator)] if separator else [])))
        case "field":
            name = {"str": "name", "int": "age"}[kind]
            return Field(Index(Column("people"), sub("int")), name)
        case "int" | "float":
            return Call(form, (sub(draw(KINDS)),))
        case "text":
            return Call("str", (sub(draw(st.sampled_from(["int", "bool", "str"]))),))
        case "len":
            return Call("len", (sub(draw(st.sampled_from(["str", *_ITEMS.values()]))),))
        case "min" | "max":
            return Call(form, tuple(sub(kind) for _ in range(draw(st.integers(2, 3)))))
        case "contains" | "startswith" | "endswith":
            return Call(form, (sub("str"), sub("str")))
        case "abs" | "round":
            return Call(form, (sub(kind),))
        case _:
            return Call(form, (sub("str"),))


_ANYWHERE = ["if", "if null", "coalesce"]
_NUMBER = ["negate", "arithmetic", "arithmetic", "item", "abs", "round", "min", "max", "extreme"]
_TEST = ["contains", "startswith", "endswith", "matches", "any", "all", "item"]
_FORMS = {
    "bool": ["not", "logic", "logic", "compare", "compare", "compare", "member", "is null", *_TEST],
    "int": [*_NUMBER, "int", "len", "chars", "words", "lines", "count", "field"],
    "float": [*_NUMBER, "float", "divide", "frac"],
    "str": ["concatenate", "item", "text", "lower", "upper", "strip", "extract", "field"],
    "ints": ["items"],
    "floats": ["items"],
    "strs": ["items", "split", "split"],
    "bools": ["items"],
}


@st.composite
def _leaves(draw: st.DrawFn, kind: str) -> Expr:
    if kind in _VALUES and draw(st.booleans()):
        return Constant(draw(_VALUES[kind]))
    return Column(draw(st.sampled_from(_NAMES[kind])))


@st.composite
def _comparisons(draw: st.DrawFn, depth: int) -> Expr:
    kind = draw(KINDS)
    ops: list[CompareOp] = ["==", "!="]
    if kind != "bool":
        ops.extend(("<", "<=", ">", ">="))
    count = draw(st.integers(1, 2))
    kinds = ["int", "float"] if kind in ("int", "float") else [kind]
    operands = tuple(
        draw(expressions(draw(st.sampled_from(kinds)), depth - 1)) for _ in range(count + 1)
    )
    return Compare(operands, tuple(draw(st.sampled_from(ops)) for _ in range(count)))


def negate(operand: Expr) -> Expr:
    """Unary minus as the parser builds it: a minus before a plain number belongs to the number."""
    if isinstance(operand, Constant) and not str(operand.value).startswith("-"):
        assert isinstance(operand.value, int | float)
        return Constant(-operand.value)
    return Negate(operand)


def with_fields(expr: Expr) -> Expr:
    """The same, asked for a field of an item: a form without a value, for the round trip."""
    return Field(Index(expr, Constant(-1)), "name")
