"""The functions of the language: one table for type checks, documentation and tests."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..types import BOOL, FLOAT, INT, STR, list_of
from .function import Example, Function, Parameter
from .results import always, extreme, item_of, like_first, number, share, tested, together

_TEXT = Parameter("text", ("str",))
_NUMBER = Parameter("x", ("int", "float"))
_PLAIN = Parameter("x", ("bool", "int", "float", "str"))
_PATTERN = Parameter("pattern", ("str",), constant=True, pattern=True)
_PERHAPS = Parameter("pattern", ("str",), optional=True, constant=True, pattern=True)


def _use(text: str, expect: Any, /, **row: Any) -> Example:
    return Example(text, row, expect)


_TABLE = (
    # -- lengths
    Function(
        "len",
        (Parameter("x", ("str", "list")),),
        always(INT),
        "propagates",
        "Characters of a text, or items of a list.",
        "int",
        (_use("len(text)", 4, text="Zoë!"), _use("len(tags)", 2, tags=["a", "b"])),
    ),
    Function(
        "chars",
        (_TEXT,),
        always(INT),
        "propagates",
        "Unicode characters (code points) of a text.",
        "int",
        (_use("chars(text)", 5, text="naïve"),),
    ),
    Function(
        "words",
        (_TEXT,),
        always(INT),
        "propagates",
        "Runs of characters between white space.",
        "int",
        (_use("words(text)", 3, text=" one  two,\nthree "), _use("words(text)", 0, text="")),
    ),
    Function(
        "lines",
        (_TEXT,),
        always(INT),
        "propagates",
        "Lines that are not blank.",
        "int",
        (_use("lines(text)", 2, text="one\n\n  \ntwo\n"),),
    ),
    Function(
        "tokens",
        (_TEXT,),
        always(INT),
        "propagates",
        "Tokens of a text by the recipe's `tokenizer:`, no special tokens added; counted batch by "
        "batch before the expression is computed.",
        "int",
        (_use("tokens(text) <= 512", True, text="a short text"),),
    ),
    # -- texts
    Function(
        "lower",
        (_TEXT,),
        always(STR),
        "propagates",
        "The text in lower case.",
        "str",
        (_use("lower(text)", "straße", text="STRAßE"),),
    ),
    Function(
        "upper",
        (_TEXT,),
        always(STR),
        "propagates",
        "The text in upper case.",
        "str",
        (_use("upper(text)", "ÉTÉ", text="été"),),
    ),
    Function(
        "strip",
        (_TEXT,),
        always(STR),
        "propagates",
        "The text without white space at both ends.",
        "str",
        (_use("strip(text)", "a b", text="\n a b\t"),),
    ),
    Function(
        "contains",
        (_TEXT, Parameter("part", ("str",))),
        always(BOOL),
        "propagates",
        "Whether a text holds another, letter for letter.",
        "bool",
        (_use("contains(text, 'a.c')", False, text="abc"),),
    ),
    Function(
        "startswith",
        (_TEXT, Parameter("prefix", ("str",))),
        always(BOOL),
        "propagates",
        "Whether a text begins with another.",
        "bool",
        (_use("startswith(text, 'ab')", True, text="abc"),),
    ),
    Function(
        "endswith",
        (_TEXT, Parameter("suffix", ("str",))),
        always(BOOL),
        "propagates",
        "Whether a text ends with another.",
        "bool",
        (_use("endswith(text, 'bc')", True, text="abc"),),
    ),
    Function(
        "matches",
        (_TEXT, _PATTERN),
        always(BOOL),
        "propagates",
        "Whether a regular expression matches somewhere in a text.",
        "bool",
        (
            _use(r"matches(text, '^\d+$')", True, text="1903"),
            _use("matches(text, '(?i)sure')", True, text="Ah, Sure!"),
        ),
    ),
    Function(
        "extract",
        (_TEXT, _PATTERN, Parameter("group", ("int",), optional=True, constant=True)),
        always(STR.maybe()),
        "may arise",
        "The first match of a regular expression: its first group, or the whole match (group 0) "
        "where it has none; null where it does not match.",
        "str",
        (
            _use(r"extract(text, 'doi:(\S+)')", "10.1/x", text="see doi:10.1/x for more"),
            _use(r"extract(text, '[0-9]+')", "19", text="in 19 or 20"),
            _use(r"extract(text, '(\d+) of (\d+)', 2)", "9", text="3 of 9"),
            _use("extract(text, 'z')", None, text="abc"),
        ),
    ),
    Function(
        "split",
        (_TEXT, Parameter("separator", ("str",), optional=True, constant=True)),
        always(list_of(STR)),
        "propagates",
        "The pieces of a text between separators, letter for letter; its words without one.",
        "list[str]",
        (
            _use("split(text, ', ')", ["a", "b", ""], text="a, b, "),
            _use("split(text)", ["one", "two"], text=" one\n two "),
            _use("split(text, '/')[-1]", "c", text="a/b/c"),
        ),
    ),
    # -- what is true of the items of a list
    Function(
        "any",
        (Parameter("items", ("list",)), _PERHAPS),
        tested,
        "propagates",
        "Whether an item is true, or matches; false for no items. A null item leaves it open.",
        "bool",
        (
            _use("any(votes)", True, votes=[False, None, True]),
            _use("any(tags, '^math')", True, tags=["math.NT", "physics"]),
            _use("any(votes)", None, votes=[False, None]),
        ),
    ),
    Function(
        "all",
        (Parameter("items", ("list",)), _PERHAPS),
        tested,
        "propagates",
        "Whether every item is true, or matches; true for no items. A null item leaves it open.",
        "bool",
        (
            _use("all(votes)", False, votes=[True, None, False]),
            _use("all(tags, '^math')", False, tags=["math.NT", "physics"]),
            _use("all(votes)", True, votes=[]),
        ),
    ),
    Function(
        "count",
        (Parameter("x", ("str", "list")), _PERHAPS),
        number(INT),
        "propagates",
        "Matches in a text that do not overlap; or items of a list that are true, or match.",
        "int",
        (
            _use(r"count(text, '#|\.\.\.')", 3, text="#a #b ..."),
            _use("count([contains(text, 'the'), contains(text, 'of')]) >= 2", True, text="of the"),
            _use("count(tags, '^math')", 1, tags=["math.NT", None]),
        ),
    ),
    Function(
        "frac",
        (Parameter("x", ("str", "list")), _PERHAPS),
        share,
        "may arise",
        "The share of a text's lines that match (blank lines and white space at the ends of lines "
        "left out); or of a list's items that are true, or match. A null item is not true; of no "
        "lines or items it is null.",
        "float",
        (
            _use("frac(text, '[.!?]$')", 0.5, text="One. \n\nTwo"),
            _use("frac(votes)", 0.25, votes=[True, False, None, False]),
            _use("frac(tags, '^math')", None, tags=[]),
        ),
    ),
    # -- numbers
    Function(
        "coalesce",
        (Parameter("x"), Parameter("otherwise")),
        together,
        "first",
        "The first that is not null.",
        "type of all",
        (_use("coalesce(score, 0)", 0, score=None), _use("coalesce(score, 0)", 3, score=3)),
        variadic=True,
    ),
    Function(
        "abs",
        (_NUMBER,),
        like_first,
        "propagates",
        "A number without its sign.",
        "type of x",
        (_use("abs(x)", 2.5, x=-2.5),),
    ),
    Function(
        "round",
        (_NUMBER, Parameter("digits", ("int",), optional=True, constant=True)),
        like_first,
        "propagates",
        "A number rounded to digits after the point (0), halves to the even neighbour.",
        "type of x",
        (_use("round(x)", 2.0, x=2.5), _use("round(x, 1)", 0.3, x=0.25 + 0.01)),
    ),
    Function(
        "min",
        (
            Parameter("x", ("int", "float", "list")),
            Parameter("y", ("int", "float"), optional=True),
        ),
        extreme,
        "propagates",
        "The least of its numbers; or of the numbers of one list, nulls left out.",
        "type of all",
        (_use("min(x, 2, 5)", 2, x=3), _use("min(scores) > 0.5", True, scores=[0.9, None, 0.6])),
        variadic=True,
    ),
    Function(
        "max",
        (
            Parameter("x", ("int", "float", "list")),
            Parameter("y", ("int", "float"), optional=True),
        ),
        extreme,
        "propagates",
        "The greatest of its numbers, NaN above all; or of the numbers of one list, nulls left "
        "out. Of an empty list it is null.",
        "type of all",
        (_use("max(x, 2, 5)", 5, x=3), _use("max(scores)", None, scores=[])),
        variadic=True,
    ),
    # -- from one type to another
    Function(
        "int",
        (_PLAIN,),
        always(INT),
        "may arise",
        "An integer: towards zero from a fraction, null from what is none.",
        "int",
        (_use("int(x)", -2, x=-2.9), _use("int(x)", None, x="two"), _use("int(x)", 42, x="42")),
    ),
    Function(
        "float",
        (_PLAIN,),
        always(FLOAT),
        "may arise",
        "A number with a fraction; null from a text that is none.",
        "float",
        (_use("float(x)", 0.5, x="0.5"), _use("float(x)", None, x="half")),
    ),
    Function(
        "str",
        (_PLAIN,),
        always(STR),
        "propagates",
        "The value as text.",
        "str",
        (_use("str(x)", "7", x=7), _use("str(x)", "true", x=True)),
    ),
    # -- draws
    Function(
        "hash01",
        (_PLAIN,),
        always(FLOAT),
        "propagates",
        "A number in [0, 1) that depends on the value and the recipe's seed alone.",
        "float",
        (_use("0 <= hash01(_doc) < 1", True, _doc="d1"), _use("hash01(x)", None, x=None)),
    ),
    Function(
        "choose",
        (Parameter("options", ("list",)), Parameter("weights", ("list",), True, constant=True)),
        item_of,
        "may arise",
        "One of the options, drawn for each row from the recipe's seed and `_doc`; with weights, "
        "in their proportions.",
        "type of items",
        (
            _use("choose(['pupil', 'student'], [0, 3])", "student", _doc="d1"),
            _use("choose(tags)", "a", _doc="d1", tags=["a"]),
        ),
    ),
)

FUNCTIONS: Mapping[str, Function] = MappingProxyType({f.name: f for f in _TABLE})
"""Every function by its name."""
