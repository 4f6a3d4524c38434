"""Numbers in words (`two thirds`, `3 million`, `3 out of 8`) and repeating digits."""

from __future__ import annotations

import re
from fractions import Fraction

from ..facts.number_words import UNITS

_SCALES = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9,
           "trillion": 10**12, "dozen": 12}  # fmt: skip
_PARTS = {"half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4,
          "fourth": 4, "fourths": 4, "fifth": 5, "fifths": 5, "sixth": 6, "sixths": 6,
          "seventh": 7, "sevenths": 7, "eighth": 8, "eighths": 8, "ninth": 9, "ninths": 9,
          "tenth": 10, "tenths": 10}  # fmt: skip
_SCALED = re.compile(
    r"(?P<before>.*\d)[ -]?(?P<scale>hundred|thousand|million|billion|trillion|dozen)\b", re.I
)
_OUT_OF = re.compile(r"(\d+) (?:out )?of (\d+)")
_AND_HALF = re.compile(r"(\d+)(?: and |-)(?:a |one )?(half|quarter|third)")
_AND_FRACTION = re.compile(r"(\d+) and (\d+/\d+|\\frac\s*\{\d+\}\s*\{\d+\})")
_REPEATING = re.compile(r"(\d*)\.(\d*)(?:\\(?:overline|bar|dot)\s*\{?(\d+)\}?|\((\d+)\))")


def in_digits(text: str) -> str:
    """The text with numbers in words as digits, where the whole of it is one."""
    low = text.lower().removeprefix("negative ").removeprefix("minus ")
    sign = "-" if low != text.lower() else ""
    if text[:1].isalpha() and (found := _whole(low)) is not None:
        return f"{sign}{found}"
    if match := _OUT_OF.fullmatch(text):
        return f"\\frac{{{match[1]}}}{{{match[2]}}}"
    if match := _AND_HALF.fullmatch(low):
        return f"{sign}{match[1]}\\frac{{1}}{{{_PARTS[match[2]]}}}"
    if match := _AND_FRACTION.fullmatch(text):
        return f"{match[1]} {match[2]}"
    if match := _SCALED.match(text):
        scale = _SCALES[match["scale"].lower()]
        return f"{match['before']}\\times {scale}{text[match.end() :]}"
    return _REPEATING.sub(_fraction, text) if "." in text else text


def _whole(text: str) -> str | None:
    """A number in words alone."""
    words = text.replace("-", " ").replace(",", " ").split()
    if words and words[-1] in _PARTS and len(words) < 5:
        top = 1 if words[:-1] in ([], ["a"], ["one"]) else _count(words[:-1])
        if words == ["third"] or words == ["quarter"] or top is None:
            return None
        return f"\\frac{{{top}}}{{{_PARTS[words[-1]]}}}"
    found = _count(words)
    return None if found is None else str(found)


def _count(words: list[str]) -> int | None:
    total = group = 0
    last = ""
    for word in words:
        if word == "and" and last in _SCALES:
            continue
        if word in UNITS:
            value = int(UNITS[word])
            if last in UNITS and not (UNITS[last] >= 20 and 0 < value < 10):
                return None
            group += value
        elif word == "hundred" and group:
            group *= 100
        elif word in _SCALES and (group or word == "dozen") and word != "hundred":
            total += (group or 1) * _SCALES[word]
            group = 0
        elif word not in ("a",):
            return None
        else:
            group = 1
        last = word
    return total + group if last and last != "a" else None


def _fraction(match: re.Match[str]) -> str:
    whole, fixed, turning = match[1] or "0", match[2], match[3] or match[4]
    scale = 10 ** len(fixed)
    value = Fraction(int(whole + fixed), scale)
    value += Fraction(int(turning), scale * (10 ** len(turning) - 1))
    return f"\\frac{{{value.numerator}}}{{{value.denominator}}}"
