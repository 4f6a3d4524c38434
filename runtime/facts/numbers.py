"""Numbers as values: thousands, decimals, scales (93M), percent, units, words, fractions, dates."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .number_words import GLYPHS, MONTHS, PARTS, SCALES, SOFT, UNITS, roman
from .units import Unit, unit_after, unit_before

_SCALE = "|".join(word for word in SCALES if len(word) > 3)
_UNIT = "|".join(sorted(UNITS, key=len, reverse=True))
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_SOFT = "|".join(sorted(SOFT, key=len, reverse=True))
_TENS = "|".join(word for word, value in UNITS.items() if value >= 20)
_PART = "|".join(sorted(PARTS, key=len, reverse=True))
_GLYPH = "".join(GLYPHS)
_FOUND = re.compile(
    rf"(?<![^\W_½¼¾⅓⅔⅛⅜⅝⅞])(?=[^\W_{_GLYPH}]|[{_GLYPH}])(?<![A-Z]-)(?:"
    r"(?P<code>\d+(?:[.:]\d+){2,}|\d+:\d+)|"
    rf"(?P<mixed>(?:\d+[ -])?(?<![\d/])\d{{1,3}}[/⁄]\d{{1,3}}(?![\d/])|\d*[{_GLYPH}])|"
    r"(?P<digits>\d+(?:[.,\u00a0\u202f]\d+)*)"
    rf"(?:(?P<short>(?-i:[KMBk]|bn|mn)(?![^\W_]))|[ -]?(?P<scale>{_SCALE})\b)?"
    r"(?P<percent> ?[%٪]| ?per ?cent\b)?|"
    rf"(?P<parts>(?P<top>{_UNIT}|an?)[ -](?P<bottom>{_PART})s?)\b|"
    rf"(?P<soft>(?:(?:{_TENS})[ -])?(?:{_SOFT})|an? (?:{_SCALE}))\b|"
    rf"(?P<spelt>(?:{_UNIT})(?:[ -](?:and )?(?:{_UNIT}|{_SCALE}))*)\b"
    r"(?P<spelt_percent> per ?cent\b)?|"
    rf"(?P<month>(?-i:(?=[A-Z]))(?:{_MONTH})\b)|"
    r"(?P<roman>(?-i:(?<=[a-z] )[IVXL]{2,8})(?![^\W_])))",
    re.IGNORECASE,
)
_DIGIT = re.compile(rf"[\d{_GLYPH}]|[a-z] [IVXL]{{2}}")
_LETTERS = re.compile(r"[a-z]+")
_WORDS = frozenset((*UNITS, *SCALES, *SOFT, *MONTHS))
"""A text without a digit or one of these has no number: a look at its words is soon done."""
_ITEM = re.compile(r"[^\w\n]{0,8}(\d{1,3})[.)\]](?:\s|$)")
_RANGE = re.compile(r"\s*(?:-|–|—|to|and|or)\s*", re.IGNORECASE)
_CENTURY = re.compile(r"(?:st|nd|rd|th)?[ -]century\b", re.IGNORECASE)
_ABOUT = re.compile(
    r"(?:\b(?:about|around|approximately|nearly|almost|roughly|some|over|under|than|circa)\s+|~\s?)"
    r"[$€£¥₹]?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written, and the values that it can mean.

    Attributes:
        raw: As written: `93M`.
        keys: What it may mean: `93000000`, `20%`, a code (`7.1.0`). Several where writers differ:
            `1.500` is one and a half to some and fifteen hundred to others.
        firm: Whether it is a fact of its own. `one`, `half`, a lone month and the numbering of a
            list are not: they only bear out a number of the other text.
        unit: What it counts, where that is a unit of measure or a currency.
        about: Whether it is given as an estimate: `about 90`.
    """

    raw: str
    keys: frozenset[str]
    firm: bool
    unit: Unit | None = None
    about: bool = False

    @property
    def kind(self) -> str:
        """What sort of figure it is: money, a percentage, a code (`7.1.0`), a year or a count."""
        if self.unit and self.unit.money:
            return "money"
        if any(key.endswith("%") for key in self.keys):
            return "percent"
        if len(self.raw) == 4 and self.raw.isdigit():
            return "year"
        return "count" if self.values else "code"

    @property
    def values(self) -> list[float]:
        """Its keys that are plain values."""
        return [float(key) for key in self.keys if key.replace(".", "", 1).isdigit()]


def find_numbers(sentence: str) -> list[Number]:
    """The numbers of one sentence or line, in order."""
    if not _DIGIT.search(sentence) and _WORDS.isdisjoint(_LETTERS.findall(sentence.lower())):
        return []
    marks = list(_FOUND.finditer(sentence))
    if not marks:
        return []
    item = _ITEM.match(sentence)
    found = [_counted(mark, item.end(1) if item else 0, sentence) for mark in marks]
    for i in range(len(found) - 1):
        gap = sentence[marks[i].end() : marks[i + 1].start()].strip("$€£¥₹")
        if len(gap) < 6 and _RANGE.fullmatch(gap):
            found[i] = _as_range(found[i], marks[i + 1], found[i + 1].unit)
    dated = [_dated(number, i, marks, sentence) for i, number in enumerate(found)]
    return [*dated, *(lent for mark in marks if mark["mixed"] for lent in _halves(mark["mixed"]))]


def _counted(match: re.Match[str], item: int, text: str) -> Number:
    """A number with its unit."""
    number = _number(match, item)
    if not (number.firm or match["spelt"]):
        return number
    unit = unit_before(text, match.start())
    end = match.end()
    if match["digits"] and text[end : end + 1].isalpha() and unit and text[end] in "mb":
        scale = {"m": 1e6, "b": 1e9}[text[end]]
        number = replace(number, keys=frozenset(_key(v * scale) for v in number.values))
    after = None if unit or match["percent"] else unit_after(text, end)
    if after:
        unit, end = after
        if unit.dimension in ("am", "pm"):
            number = replace(number, keys=number.keys | _of_day(number, unit.dimension == "pm"))
    if match["digits"] and (century := _CENTURY.match(text, match.end())):
        hundreds = (_key(100 * (value - 1)) for value in number.values)
        return replace(
            number, raw=text[match.start() : century.end()], keys=number.keys | {*hundreds}
        )
    sign = text[match.start() - 1] if unit and not after else ""
    raw = text[match.start() : end] if after else sign.strip() + number.raw
    return replace(
        number, raw=raw, unit=unit, about=bool(_ABOUT.search(text[: match.start()][-16:]))
    )


def _of_day(number: Number, afternoon: bool) -> set[str]:
    """The hour on a clock of 24: `3 pm` is `15:00`."""
    found = set()
    for key in number.keys:
        hour, _, minute = key.partition(":")
        if hour.isdigit() and int(hour) <= 12:
            found.add(f"{int(hour) % 12 + 12 * afternoon}:{minute or '00'}")
    return found


def _number(match: re.Match[str], item: int) -> Number:
    raw, part = match[0].strip(), match.groupdict()
    if code := part["code"]:
        values = set() if ":" in code else _grouped(code)
        clock = {code.lstrip("0")} if ":" in code else set()
        return Number(raw, frozenset({code, *clock, *map(_key, values)}), firm=True)
    if mixed := part["mixed"]:
        return Number(raw, _shared(_fraction(mixed)) | {mixed}, firm=True)
    if digits := part["digits"]:
        scale = SCALES[(part["short"] or part["scale"] or "one").lower()]
        sign = "%" if part["percent"] else ""
        values = _grouped(digits) or {float(part) for part in re.split(r"\D", digits)}
        keys = frozenset(_key(value * scale) + sign for value in values)
        return Number(raw, keys, match.end("digits") != item)
    if part["parts"]:
        top = UNITS.get(part["top"].lower(), 1.0)
        value = top / PARTS[part["bottom"].lower()]
        return Number(raw, _shared(value) | {_key(top)}, firm=top > 1)
    if spelt := part["spelt"]:
        value = _spelt(spelt.lower())
        key = _key(value) + ("%" if part["spelt_percent"] else "")
        return Number(raw, frozenset({key}), value > 1)
    if soft := part["soft"]:
        *tens, word = re.split(r"[ -]", soft.lower())
        value = SOFT[word] if word in SOFT else SCALES[word]
        return Number(raw, _shared(value + sum(UNITS.get(ten, 0) for ten in tens)), firm=False)
    if numeral := part["roman"]:
        return Number(raw, frozenset({_key(roman(numeral) or 0)}), firm=False)
    month = MONTHS[match["month"].lower()]
    return Number(raw, frozenset({f"month {month}"}), firm=False)


def _fraction(written: str) -> float:
    """The value of `3/4`, `1 1/2`, `1½`."""
    if written[-1] in GLYPHS:
        return float(written[:-1] or 0) + GLYPHS[written[-1]]
    *whole, part = re.split(r"[ -]", written)
    top, bottom = re.split(r"[/⁄]", part)
    return float(whole[0] if whole else 0) + (float(top) / float(bottom) if float(bottom) else 0)


def _halves(written: str) -> list[Number]:
    """The whole numbers of a fraction lend support: `5/3` may be a date."""
    return [
        Number(part, frozenset({_key(float(part))}), False) for part in re.findall(r"\d+", written)
    ]


def _shared(value: float) -> frozenset[str]:
    """A value, and as percent where it is a plain share: `half` is `50%`."""
    percent = round(100 * value, 6)
    share = {f"{percent:.12g}%"} if 0 < value < 1 and percent == int(percent) else set()
    return frozenset({_key(value), *share})


def _as_range(number: Number, upper: re.Match[str], unit: Unit | None) -> Number:
    """`10-20%` and `5 to 10 million`: the lower end may share the upper end's unit."""
    keys = set(number.keys)
    if upper["percent"] or upper["spelt_percent"]:
        keys |= {key.rstrip("%") + "%" for key in number.keys}
    if scale := upper["short"] or upper["scale"]:
        keys |= {_key(value * SCALES[scale.lower()]) for value in number.values}
    return replace(number, keys=frozenset(keys), unit=number.unit or unit)


def _dated(number: Number, i: int, marks: list[re.Match[str]], text: str) -> Number:
    """A month beside a number is that month by number too: `May 3` bears out `2020-05-03`."""
    if not marks[i]["month"]:
        return number
    before = text[marks[i - 1].end() : marks[i].start()] if i and marks[i - 1]["digits"] else "--"
    after = text[marks[i].end() : marks[i + 1].start()] if i + 1 < len(marks) else "--"
    joins = {" ", ". ", "-", "th ", "st ", "nd ", "rd ", "th of ", "st of ", "nd of ", "rd of "}
    dated = before in joins or after in {" ", ". ", ", ", "-"}
    month = next(iter(number.keys)).split()[1]
    return replace(number, keys=number.keys | {month}, firm=True) if dated else number


def _grouped(digits: str) -> set[float]:
    """The values of digits with separators, by English and by continental habit; or none."""
    plain = digits.replace("\u00a0", "").replace("\u202f", "")
    parts = plain.replace(",", ".").split(".")
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
