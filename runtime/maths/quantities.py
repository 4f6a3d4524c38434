r"""A value with its unit: `\$45`, `12\text{ cm}`, `33\frac{1}{3}\%`, `2 hours and 30 minutes`."""

from __future__ import annotations

import re
from fractions import Fraction

from .algebra import UnreadError, number
from .expression import evaluate
from .forms import Quantity
from .units import DEGREE, NONE, Unit, currency, read_unit

_TRIES = 8
_MONEY = re.compile(
    r"(?P<sign>-?)\s*(?P<money>US\$|[$€£¥₹]+|(?:USD|EUR|GBP|Rs)\b\.?)\s*(?P<rest>-?\s*[\d.(\\].*)",
    re.S,
)
_MULTIPLE = re.compile(r"(-?[\d.,]+)\s?(k|K|m|M|mn|bn|b|B)\b")
_MULTIPLES = {"k": 10**3, "m": 10**6, "mn": 10**6, "b": 10**9, "bn": 10**9}
_BOUNDARY = re.compile(
    r"(?:(?<=[\d)}\]!])|(?<=\\pi)|(?<=[A-Za-z])(?=\s*\\text))"
    r"(?P<gap>\s*)(?=\\text\s*\{|\^\s*\\circ|[A-Za-z%€£¥₹¢$])"
)
_SPACED = re.compile(r"-?\d{1,3}(?: \d{3})+(?:\.\d+)?")
_INDIAN = re.compile(r"-?\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?")
_EUROPEAN = re.compile(r"-?\d{1,3}(?:\.\d{3})+,\d+")
_DECIMAL = re.compile(r"-?\d[\d,]*(?:\.(\d+))?")
_LITERAL = re.compile(r"-?\d{1,300}")
_BASED = re.compile(r"(?P<digits>[0-9A-F]*\d[0-9A-F]*)_\{?(?P<base>1[1-6])\}?")
_PREFIXED = re.compile(r"0[xX][0-9A-Fa-f]{1,200}|0[bB][01]{1,200}|0[oO][0-7]{1,200}")
_ROUGHLY = re.compile(r"(?:\\approx|~|about|approximately|roughly|around)\s*(?=[-\d\\$])", re.I)
_BETWEEN = re.compile(r"(?<=[A-Za-z.}])\s*(?:,|and|,\s*and)?\s+(?=\d)")
_SECOND = re.compile(r"(?<=\d) [xX] (?=\d)")
_FUNCTION = re.compile(r"sin|cos|tan|cot|sec|csc")


def read_quantity(text: str) -> Quantity:
    """The quantity that an undressed text is.

    Raises:
        UnreadError: If it is none that exact arithmetic knows.
    """
    if _LITERAL.fullmatch(text):  # most answers are
        return Quantity(number(int(text)), places=0)
    if _PREFIXED.fullmatch(text):
        return Quantity(number(int(text, 0)))
    if (match := _BASED.fullmatch(text)) and text[0].isdigit():
        return Quantity(number(int(match["digits"], int(match["base"]))))
    text = _SECOND.sub(r"\\times ", _ROUGHLY.sub("", text, count=1))
    if match := _MONEY.fullmatch(text):
        return _money(match)
    if (compound := _compound(text)) is not None:
        return compound
    for tries, match in enumerate(_BOUNDARY.finditer(text)):
        if tries >= _TRIES:
            break
        unit = read_unit(text[match.end() :], gap=bool(match["gap"]))
        if unit is None or (unit.special == DEGREE and _FUNCTION.search(text)):
            continue
        try:
            return _plain(text[: match.start()], unit)
        except UnreadError:
            continue
    return _plain(text, NONE)


def _plain(text: str, unit: Unit) -> Quantity:
    text = text.strip()
    if _SPACED.fullmatch(text):
        text = text.replace(" ", "")
    elif _INDIAN.fullmatch(text):
        text = text.replace(",", "")
    elif _EUROPEAN.fullmatch(text):
        text = text.replace(".", "").replace(",", ".")
    decimal = _DECIMAL.fullmatch(text)
    return Quantity(evaluate(text), unit, len(decimal[1] or "") if decimal else None)


def _money(match: re.Match[str]) -> Quantity:
    unit = currency(match["money"].rstrip("$") + "$" if "$" in match["money"] else match["money"])
    if unit is None:
        unit = currency(match["money"][0])
    if unit is None:
        raise UnreadError("an unknown currency")
    rest = match["sign"] + match["rest"].replace(" ", "" if match["rest"][0] == "-" else " ")
    factor = 1
    if many := _MULTIPLE.match(rest):
        factor = _MULTIPLES[many[2].lower()]
        rest = many[1] + rest[many.end() :]
    inner = read_quantity(rest)
    value = inner.value * number(factor)
    if inner.unit.known and not inner.unit.special:
        if inner.unit.dimension == unit.dimension:
            return Quantity(value, inner.unit, inner.places)
        dimension = tuple(sorted((*unit.dimension, *inner.unit.dimension)))
        unit = Unit(True, unit.factor * inner.unit.factor, dimension)
    return Quantity(value, unit, inner.places)


def _compound(text: str) -> Quantity | None:
    """`2 hours and 30 minutes`, `5 ft 3 in`: units of one kind, each smaller than the last."""
    parts = _BETWEEN.split(text)
    if not 2 <= len(parts) <= 4 or not all(p[:1].isdigit() for p in parts):
        return None
    made: Quantity | None = None
    least = Fraction(0)
    for part in parts:
        match = re.fullmatch(r"(\d[\d,.]*)\s*(\D+)", part)
        unit = read_unit(match[2], gap=True) if match else None
        if match is None or unit is None or not unit.known or not unit.dimension:
            return None
        value = evaluate(match[1]) * number(unit.factor)
        if made is None:
            made, least = Quantity(value, unit), unit.factor
        elif unit.dimension != made.unit.dimension or unit.factor >= least:
            return None
        else:
            made, least = Quantity(made.value + value, made.unit), unit.factor
    if made is None:
        return None
    return Quantity(made.value, Unit(True, Fraction(1), made.unit.dimension))
