r"""Steps of arithmetic in a text, `48 / 2 = 24`, and whether they hold.

Found are chains of `=` between expressions of numbers, with units, prices and per cents among them,
the calculator marks of GSM8K (`<<48/2=24>>`), and LaTeX. An equation with an unknown, a date, a
range or a line of code is no step. Where prose leaves several readings (`5 + 5 = 10 - so…`), a step
holds if one of them does: a check that calls right steps wrong throws good rows away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from .algebra import UnreadError
from .expression import evaluate
from .step_sides import Side, left_of, right_of
from .step_tokens import Token, tokens_of
from .units import Unit, read_unit

MAX_CHARS = 200_000
_MARK = re.compile(r"<<([^<>\n]{1,300})>>")
_NEARLY = "about approximately roughly rounded round nearly almost rounding"
_ROUGHLY = frozenset(_NEARLY.split())


@dataclass(frozen=True, slots=True)
class Step:
    """A step and what came of it.

    Attributes:
        shown: As it is written, tidied.
        holds: Whether both sides are equal, as far as the digits shown go.
        true: The value of the left side, as a decimal.
    """

    shown: str
    holds: bool
    true: str


def find_steps(text: str) -> list[Step]:
    """The steps of a text in order. Never raises; linear in the text."""
    text = text[:MAX_CHARS]
    made = [step for m in _MARK.finditer(text) for step in _steps(tokens_of(m[1]))]
    return made + list(_steps(tokens_of(_MARK.sub("", text))))


def _steps(tokens: Sequence[Token]) -> Iterator[Step]:
    relations = [i for i, token in enumerate(tokens) if token.kind == "relation"]
    for at in relations:
        left, right = left_of(tokens, at), right_of(tokens, at)
        if left is None or right is None or not (left.works or right.works):
            continue
        if not left.works and _is_label(tokens, at):
            continue
        near = {token.text.lower() for token in tokens[at : at + 8] if token.kind == "word"}
        step = _judged(left, right, roughly=tokens[at].text == "≈" or bool(near & _ROUGHLY))
        if step is not None:
            yield step


def _is_label(tokens: Sequence[Token], at: int) -> bool:
    """Whether a lone number before a relation belongs to a word: `Day 5 = 75 + 15`."""
    i = at - 1
    while i >= 0 and tokens[i].kind == "word":
        i -= 1
    before = tokens[i - 1].kind if i > 0 else "line"
    return i < at - 1 or before not in ("line", "relation")


def _judged(left: Side, right: Side, *, roughly: bool) -> Step | None:
    """Whether two sides are equal in one of their readings; None if they are not computed."""
    lefts = [value for reading in left.readings if (value := _value(reading)) is not None]
    rights = [
        (value, _places(reading))
        for reading in right.readings
        if (value := _value(reading)) is not None
    ]
    if not lefts or not rights or _mixes_units(left) or _mixes_units(right):
        return None
    holds = any(_close(a, b, places, roughly) for a in lefts for b, places in rights)
    if not holds and _cents(left) != _cents(right):
        holds = any(a * f == b for a in lefts for b, _ in rights for f in (100, Fraction(1, 100)))
    sign = "≈" if roughly else "="
    return Step(f"{left.shown} {sign} {right.shown}", holds, _decimal(lefts[0]))


@lru_cache(maxsize=4_096)
def _value(text: str) -> Fraction | None:
    try:
        return evaluate(text).rational
    except (UnreadError, ValueError, RecursionError, OverflowError):
        return None


def _places(text: str) -> int | None:
    """Decimals that a lone number shows; None for an expression, which is exact."""
    digits = text.strip("-() ").removesuffix("/100").replace(",", "")
    if not digits.replace(".", "", 1).isdigit():
        return None
    shown = len(digits.partition(".")[2])
    return shown + 2 if "/100" in text else shown


def _close(true: Fraction, shown: Fraction, places: int | None, roughly: bool) -> bool:
    if true == shown:
        return True
    if places is None or (places == 0 and not roughly):
        return False
    return abs(true - shown) < Fraction(1, 10**places)


def _mixes_units(side: Side) -> bool:
    """Whether a sum has units of one kind and several sizes: `1 hour + 30 minutes`."""
    if not side.works or not any(sign in side.shown for sign in "+-"):
        return False
    known: set[Unit] = {u for u in map(_unit, side.units) if u is not None and u.known}
    return len({u.factor for u in known}) > 1


@lru_cache(maxsize=1_024)
def _unit(words: str) -> Unit | None:
    return read_unit(words, gap=True)


def _cents(side: Side) -> bool:
    return any("cent" in unit for unit in side.units)


def _decimal(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value.numerator) if abs(value.numerator) < 10**30 else "a very large number"
    try:
        return f"{float(value):.6g}"
    except OverflowError:
        return str(value)[:40]
