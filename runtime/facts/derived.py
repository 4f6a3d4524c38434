"""Values that arithmetic in the rewrite derives from values that the source bears out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from math import isclose

from .numbers import Number

_VALUE = r"[$€£]?(?<![\d.,])\d+(?:,\d{3})*(?:\.\d+)?\s?%?"
_WORDS = r"[a-z]*(?:\s[a-z]+){0,2}"
_SUM = re.compile(rf"({_VALUE}{_WORDS}(?:\s?[-+−–*×x·/÷]\s?{_VALUE}{_WORDS})+)\s?=\s?({_VALUE})")
_PART = re.compile(rf"({_VALUE}){_WORDS}\s?(?:([-+−–*×x·/÷])\s?|$)")
_SIGNS = {"−": "-", "–": "-", "×": "*", "x": "*", "·": "*", "÷": "/"}


CONSTANTS = (2, 3, 4, 5, 7, 10, 12, 24, 30, 50, 52, 60, 100, 365, 1000)
"""Numbers that a solution may reckon with unasked: halves, weeks, dozens, hours, percent."""


def borne_out(text: str, given: Iterable[Number]) -> set[float]:
    """The values that a text derives from given numbers, and the constants that it does it with."""
    known = {value for number in given for value in _values(number)}
    found: set[float] = set()
    for parts, result in derived(text):
        if all(part in known or part in found or part in CONSTANTS for part in parts):
            found |= {*parts, result}
    return found


def holds(number: Number, values: set[float]) -> bool:
    """Whether a number is one of these values, as it stands or as percent."""
    return not values.isdisjoint(_values(number))


def _values(number: Number) -> set[float]:
    percent = {float(k[:-1]) for k in number.keys if k.endswith("%")}
    return {*number.values, *percent, *(value / 100 for value in percent)}


def derived(text: str) -> Iterator[tuple[list[float], float]]:
    """Each equation that holds: what it reckons with, and what comes out.

    >>> list(derived("He has 3 boxes x 4 apples = 12 apples, and 12 - 5 = 8."))
    [([3.0, 4.0], 12.0)]
    """
    for found in _SUM.finditer(text):
        values, signs = [], []
        for value, sign in _PART.findall(found[1]):
            values.append(_float(value))
            signs.append(_SIGNS.get(sign, sign))
        result = _reckon(values, signs[:-1])
        if result is not None and isclose(result, _float(found[2]), rel_tol=0.005, abs_tol=0.005):
            yield values, _float(found[2])


def _reckon(values: list[float], signs: list[str]) -> float | None:
    """Products before sums, from left to right; nothing where a divisor is nought."""
    terms = [values[0]]
    for sign, value in zip(signs, values[1:], strict=False):
        if sign == "/" and not value:
            return None
        if sign in "*/":
            terms[-1] = terms[-1] * value if sign == "*" else terms[-1] / value
        else:
            terms.append(-value if sign == "-" else value)
    return sum(terms)


def _float(written: str) -> float:
    number = float(re.sub(r"[^\d.]", "", written))
    return number / 100 if written.rstrip().endswith("%") else number
