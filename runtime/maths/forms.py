"""What an answer can be: a quantity, a list, a region, an equation, a time, a choice, a word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .algebra import Value
from .units import NONE, Unit

Relation = Literal["<", "<=", ">", ">=", "!="]
FLIPPED: Mapping[Relation, Relation] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "!=": "!="}
"""What a relation is when its sides change places."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value, with the unit that was written behind or before it.

    `places` says how many decimals a plain decimal has, for comparing what was rounded.
    """

    value: Value
    unit: Unit = NONE
    places: int | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Several answers.

    Attributes:
        kind: `tuple` and `bracket` have an order, `set` and `list` (without brackets) have none.
        items: The answers.
    """

    kind: Literal["tuple", "bracket", "angle", "set", "list"]
    items: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows of values."""

    rows: tuple[tuple[Form, ...], ...]


@dataclass(frozen=True, slots=True)
class Interval:
    """A range of the real line; a point is a closed range from itself to itself."""

    low: Value
    high: Value
    low_in: bool
    high_in: bool


@dataclass(frozen=True, slots=True)
class Region:
    """Disjoint ranges in order, of a variable if it is named."""

    ranges: tuple[Interval, ...]
    variable: str | None = None


@dataclass(frozen=True, slots=True)
class Equation:
    """What is zero: the difference of two sides."""

    zero: Value


@dataclass(frozen=True, slots=True)
class Named:
    """`x = 3`, `f(x) = x^2`: a name and what it stands for."""

    name: str
    form: Form


@dataclass(frozen=True, slots=True)
class Inequality:
    """A difference against zero that is no region of one variable."""

    difference: Value
    relation: Relation


@dataclass(frozen=True, slots=True)
class Ratio:
    """`3:4`, `2:3:5`."""

    parts: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """A time of day in seconds; `half` says whether it names the half of the day."""

    seconds: int
    half: bool


@dataclass(frozen=True, slots=True)
class Date:
    """A day; without a year, 0."""

    year: int
    month: int
    day: int


@dataclass(frozen=True, slots=True)
class Choice:
    """A letter of a multiple choice, and the answer that stands with it, if one does."""

    letter: str
    content: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """An answer in words, folded for comparison."""

    text: str


@dataclass(frozen=True, slots=True)
class Unread:
    """What only a computer algebra system may read."""

    text: str
    why: str
    too_large: bool = False


Form = (
    Quantity | Group | Matrix | Region | Equation | Named | Inequality | Ratio | Moment | Date
    | Choice | Words | Unread
)  # fmt: skip
