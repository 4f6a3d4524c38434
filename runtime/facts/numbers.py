"""Numbers as values: thousands, decimals, scales (93M, 93 million), percent, words, dates."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .number_words import MONTHS, SCALES, SOFT, UNITS

_SCALE = "|".join(word for word in SCALES if len(word) > 3)
_UNIT = "|".join(sorted(UNITS, key=len, reverse=True))
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_FOUND = re.compile(
    r"(?<![^\W_])(?=[^\W_])(?<![A-Z]-)(?:"
    r"(?P<code>\d+(?:[.:]\d+){2,}|\d+:\d+)|"
    r"(?P<digits>\d+(?:[.,\u00a0\u202f]\d+)*)"
    rf"(?:(?P<short>(?-i:[KMBk]|bn|mn)(?![^\W_]))|[ -]?(?P<scale>{_SCALE})\b)?"
    r"(?P<percent> ?[%٪]| ?per ?cent\b)?|"
    rf"(?P<spelt>(?:{_UNIT})(?:[ -](?:and )?(?:{_UNIT}|{_SCALE}))*)\b"
    r"(?P<spelt_percent> per ?cent\b)?|"
    rf"(?P<soft>{'|'.join(SOFT)}|an? (?:{_SCALE}))\b|"
    rf"(?P<month>(?-i:(?=[A-Z]))(?:{_MONTH})\b))",
    re.IGNORECASE,
)
_ITEM = re.compile(r"[^\w\n]{0,8}(\d{1,3})[.)\]](?:\s|$)")
_RANGE = re.compile(r"\s*(?:-|–|—|to|and|or)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written, and the values that it can mean.

    Attributes:
        raw: As written: `93M`.
        keys: What it may mean: `93000000`, `20%`, a code (`7.1.0`). Several where writers differ:
            `1.500` is one and a half to some and fifteen hundred to others.
        firm: Whether it is a fact of its own. `one`, `half`, a lone month and the numbering of a
            list are not: they only bear out a number of the other text.
    """

    raw: str
    keys: frozenset[str]
    firm: bool


def find_numbers(sentence: str) -> list[Number]:
    """The numbers of one sentence or line, in order."""
    marks = list(_FOUND.finditer(sentence))
    if not marks:
        return []
    item = _ITEM.match(sentence)
    found = [_number(mark, item.end(1) if item else 0) for mark in marks]
    for i in range(len(found) - 1):
        gap = sentence[marks[i].end() : marks[i + 1].start()]
        if len(gap) < 6 and _RANGE.fullmatch(gap):
            found[i] = _as_range(found[i], marks[i + 1])
    return [_dated(number, i, marks, sentence) for i, number in enumerate(found)]


def _number(match: re.Match[str], item: int) -> Number:
    raw, part = match[0].strip(), match.groupdict()
    if code := part["code"]:
        values = set() if ":" in code else _grouped(code)
        return Number(raw, frozenset({code, *map(_key, values)}), firm=True)
    if digits := part["digits"]:
        scale = SCALES[(part["short"] or part["scale"] or "one").lower()]
        sign = "%" if part["percent"] else ""
        values = _grouped(digits) or {float(part) for part in re.split(r"\D", digits)}
        keys = frozenset(_key(value * scale) + sign for value in values)
        return Number(raw, keys, match.end("digits") != item)
    if spelt := part["spelt"]:
        value = _spelt(spelt.lower())
        key = _key(value) + ("%" if part["spelt_percent"] else "")
        return Number(raw, frozenset({key}), value > 1)
    if soft := part["soft"]:
        word = soft.lower().split()[-1]
        return Number(raw, frozenset({_key(SOFT.get(word) or SCALES[word])}), firm=False)
    month = MONTHS[match["month"].lower()]
    return Number(raw, frozenset({f"month {month}"}), firm=False)


def _as_range(number: Number, upper: re.Match[str]) -> Number:
    """`10-20%` and `5 to 10 million`: the lower end may share the upper end's unit."""
    keys = set(number.keys)
    if upper["percent"] or upper["spelt_percent"]:
        keys |= {key.rstrip("%") + "%" for key in number.keys}
    if scale := upper["short"] or upper["scale"]:
        plain = (key for key in number.keys if key.replace(".", "", 1).isdigit())
        keys |= {_key(float(key) * SCALES[scale.lower()]) for key in plain}
    return Number(number.raw, frozenset(keys), number.firm)


def _dated(number: Number, i: int, marks: list[re.Match[str]], text: str) -> Number:
    """A month beside a number is that month by number too: `May 3` bears out `2020-05-03`."""
    if not marks[i]["month"]:
        return number
    before = text[marks[i - 1].end() : marks[i].start()] if i and marks[i - 1]["digits"] else "--"
    after = text[marks[i].end() : marks[i + 1].start()] if i + 1 < len(marks) else "--"
    dated = before in {" ", ". ", "-", "th ", "st ", "nd ", "rd "} or after in {
        " ",
        ". ",
        ", ",
        "-",
    }
    month = next(iter(number.keys)).split()[1]
    return Number(number.raw, number.keys | {month}, dated) if dated else number


def _grouped(digits: str) -> set[float]:
    """The values of digits with separators, by English and by continental habit; or none."""
    plain = re.sub(r"[\u00a0\u202f]", "", digits)
    parts = re.split(r"[.,]", plain)
    if len(parts) == 1:
        return {float(plain)}
    thousands = all(len(part) == 3 for part in parts[1:]) and len(parts[0]) <= 3
    last = plain[len(plain) - len(parts[-1]) - 1]
    values: set[float] = set()
    if thousands and len({c for c in plain if c in ".,"}) == 1:
        values.add(float("".join(parts)))
    if len(parts) == 2 and not (thousands and last == ","):
        values.add(float(".".join(parts)))
    if len(parts) > 2 and plain.count(last) == 1 and all(len(p) == 3 for p in parts[1:-1]):
        values.add(float("".join(parts[:-1]) + "." + parts[-1]))
    return values


def _spelt(words: str) -> float:
    """The value of number words: `two hundred and fifty thousand`."""
    total = current = 0.0
    for word in re.split(r"[ -]", words):
        if word in UNITS:
            current += UNITS[word]
        elif word == "hundred":
            current = max(current, 1) * 100
        elif word in SCALES:
            total, current = total + max(current, 1) * SCALES[word], 0.0
    return total + current


def _key(value: float) -> str:
    return f"{value:.12g}"
