"""The functions of the language: one table for type checks, documentation and tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from ..types import BOOL, FLOAT, INT, STR, Kind, Type
from .kinds import unify

Nulls = Literal["propagates", "may arise", "first"]
"""Null for a null argument; null for a null argument and for some others; null if all are."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument: its name in the documentation and the kinds it takes.

    Attributes:
        name: As documentation and messages call it.
        kinds: What it takes; empty for anything.
        optional: Whether it may be left out.
        constant: Whether it must stand in the expression as a constant.
    """

    name: str
    kinds: tuple[Kind, ...] = ()
    optional: bool = False
    constant: bool = False

    @property
    def kind(self) -> Kind:
        """What a null without a type is taken for."""
        return self.kinds[0] if self.kinds else "null"


@dataclass(frozen=True, slots=True)
class Example:
    """A use that documents a function and tests it, under seed 0 and the site `example`."""

    text: str
    row: Mapping[str, Any]
    expect: Any


@dataclass(frozen=True, slots=True)
class Function:
    """One function.

    Attributes:
        name: What an expression writes.
        params: Its arguments in order.
        result: Type of the result from the types of the arguments, nulls aside.
        nulls: When the result is null.
        about: One line.
        examples: At least one.
        variadic: Whether the last parameter repeats.
    """

    name: str
    params: tuple[Parameter, ...]
    result: Callable[[Sequence[Type]], Type | None] = field(repr=False)
    nulls: Nulls
    about: str
    examples: tuple[Example, ...]
    variadic: bool = False

    @property
    def least(self) -> int:
        """The fewest arguments."""
        return sum(not p.optional for p in self.params)

    @property
    def most(self) -> int | None:
        """The most arguments; None for any number."""
        return None if self.variadic else len(self.params)

    @property
    def signature(self) -> str:
        """`name(a, b?, c…)`, for messages and documentation."""
        shown = [p.name + "?" * p.optional for p in self.params]
        return f"{self.name}({', '.join(shown)}{'…' if self.variadic else ''})"

    def parameter(self, position: int) -> Parameter:
        """The parameter that takes the argument at `position`."""
        return self.params[min(position, len(self.params) - 1)]


def _always(type: Type) -> Callable[[Sequence[Type]], Type]:
    return lambda _: type


def _together(args: Sequence[Type]) -> Type | None:
    found: Type | None = args[0]
    for arg in args[1:]:
        found = found and unify(found, arg)
    return found


def _like_first(args: Sequence[Type]) -> Type:
    return args[0]


def _item(args: Sequence[Type]) -> Type | None:
    return (args[0].item or Type("null")) if args[0].kind == "list" else args[0]


_TEXT = Parameter("text", ("str",))
_X = Parameter("x", ("int", "float"))


def _use(text: str, expect: Any, /, **row: Any) -> Example:
    return Example(text, row, expect)


_TABLE = (
    Function(
        "len",
        (Parameter("x", ("str", "list")),),
        _always(INT),
        "propagates",
        "Characters of a text, or items of a list.",
        (_use("len(text)", 4, text="Zoë!"), _use("len(tags)", 2, tags=["a", "b"])),
    ),
    Function(
        "chars",
        (_TEXT,),
        _always(INT),
        "propagates",
        "Unicode characters (code points) of a text.",
        (_use("chars(text)", 5, text="naïve"),),
    ),
    Function(
        "words",
        (_TEXT,),
        _always(INT),
        "propagates",
        "Runs of characters between white space.",
        (_use("words(text)", 3, text=" one  two,\nthree "), _use("words(text)", 0, text="")),
    ),
    Function(
        "lines",
        (_TEXT,),
        _always(INT),
        "propagates",
        "Lines that are not blank.",
        (_use("lines(text)", 2, text="one\n\n  \ntwo\n"),),
    ),
    Function(
        "lower",
        (_TEXT,),
        _always(STR),
        "propagates",
        "The text in lower case.",
        (_use("lower(text)", "straße", text="STRAßE"),),
    ),
    Function(
        "upper",
        (_TEXT,),
        _always(STR),
        "propagates",
        "The text in upper case.",
        (_use("upper(text)", "ÉTÉ", text="été"),),
    ),
    Function(
        "strip",
        (_TEXT,),
        _always(STR),
        "propagates",
        "The text without white space at both ends.",
        (_use("strip(text)", "a b", text="\n a b\t"),),
    ),
    Function(
        "contains",
        (_TEXT, Parameter("part", ("str",))),
        _always(BOOL),
        "propagates",
        "Whether a text holds another, letter for letter.",
        (_use("contains(text, 'a.c')", False, text="abc"),),
    ),
    Function(
        "startswith",
        (_TEXT, Parameter("prefix", ("str",))),
        _always(BOOL),
        "propagates",
        "Whether a text begins with another.",
        (_use("startswith(text, 'ab')", True, text="abc"),),
    ),
    Function(
        "endswith",
        (_TEXT, Parameter("suffix", ("str",))),
        _always(BOOL),
        "propagates",
        "Whether a text ends with another.",
        (_use("endswith(text, 'bc')", True, text="abc"),),
    ),
    Function(
        "matches",
        (_TEXT, Parameter("pattern", ("str",), constant=True)),
        _always(BOOL),
        "propagates",
        "Whether a regular expression matches somewhere; no look-around, no back-references.",
        (
            _use(r"matches(text, '^\d+$')", True, text="1903"),
            _use("matches(text, '(?i)sure')", True, text="Ah, Sure!"),
        ),
    ),
    Function(
        "coalesce",
        (Parameter("x"), Parameter("otherwise")),
        _together,
        "first",
        "The first that is not null.",
        (_use("coalesce(score, 0)", 0, score=None), _use("coalesce(score, 0)", 3, score=3)),
        variadic=True,
    ),
    Function(
        "abs",
        (_X,),
        _like_first,
        "propagates",
        "A number without its sign.",
        (_use("abs(x)", 2.5, x=-2.5),),
    ),
    Function(
        "round",
        (_X, Parameter("digits", ("int",), optional=True, constant=True)),
        _like_first,
        "propagates",
        "A number rounded to digits after the point (0), halves to the even neighbour.",
        (_use("round(x)", 2.0, x=2.5), _use("round(x, 1)", 0.3, x=0.25 + 0.01)),
    ),
    Function(
        "min",
        (_X, Parameter("y", ("int", "float"))),
        _together,
        "propagates",
        "The least of its numbers.",
        (_use("min(x, 2, 5)", 2, x=3),),
        variadic=True,
    ),
    Function(
        "max",
        (_X, Parameter("y", ("int", "float"))),
        _together,
        "propagates",
        "The greatest of its numbers; NaN is above all.",
        (_use("max(x, 2, 5)", 5, x=3),),
        variadic=True,
    ),
    Function(
        "int",
        (Parameter("x", ("bool", "int", "float", "str")),),
        _always(INT),
        "may arise",
        "An integer: towards zero from a fraction, null from what is none.",
        (_use("int(x)", -2, x=-2.9), _use("int(x)", None, x="two"), _use("int(x)", 42, x="42")),
    ),
    Function(
        "float",
        (Parameter("x", ("bool", "int", "float", "str")),),
        _always(FLOAT),
        "may arise",
        "A number with a fraction; null from a text that is none.",
        (_use("float(x)", 0.5, x="0.5"), _use("float(x)", None, x="half")),
    ),
    Function(
        "str",
        (Parameter("x", ("bool", "int", "float", "str")),),
        _always(STR),
        "propagates",
        "The value as text.",
        (_use("str(x)", "7", x=7), _use("str(x)", "true", x=True)),
    ),
    Function(
        "hash01",
        (Parameter("x", ("bool", "int", "float", "str")),),
        _always(FLOAT),
        "propagates",
        "A number in [0, 1) that depends on the value and the recipe's seed alone.",
        (_use("0 <= hash01(_doc) < 1", True, _doc="d1"), _use("hash01(x)", None, x=None)),
    ),
    Function(
        "choose",
        (Parameter("options", ("list",)), Parameter("weights", ("list",), True, constant=True)),
        _item,
        "may arise",
        "One of the options, drawn for each row from the recipe's seed and `_doc`.",
        (
            _use("choose(['pupil', 'student'], [0, 3])", "student", _doc="d1"),
            _use("choose(tags)", "a", _doc="d1", tags=["a"]),
        ),
    ),
)

FUNCTIONS: Mapping[str, Function] = MappingProxyType({f.name: f for f in _TABLE})
"""Every function by its name."""
