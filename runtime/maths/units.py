r"""Units behind a number: `12 cm`, `40\text{ ft}^2`, `60 miles per hour`, `8 red apples`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

_TABLE = """
m 1 m metre,metres,meter,meters
m 1000 km kilometre,kilometres,kilometer,kilometers,kms
m 1/100 cm centimetre,centimetres,centimeter,centimeters,cms
m 1/1000 mm millimetre,millimetres,millimeter,millimeters
m 1/10 dm decimetre,decimetres,decimeter,decimeters
m 1/1000000000 nm nanometre,nanometres,nanometer,nanometers
m 127/5000 inches inch
m 381/1250 ft foot,feet
m 1143/1250 yd yard,yards,yds
m 201168/125 mi mile,miles
kg 1 kg kilogram,kilograms,kgs,kilo,kilos
kg 1/1000 g gram,grams
kg 1/1000000 mg milligram,milligrams
kg 1000 t tonne,tonnes
kg 45359237/100000000 lb pound,pounds,lbs
kg 45359237/1600000000 oz ounce,ounces
s 1 s second,seconds,sec,secs
s 1/1000 ms millisecond,milliseconds
s 60 min minute,minutes,mins
s 3600 h hour,hours,hr,hrs
s 86400 d day,days
s 604800 wk week,weeks
month 1 mo month,months
month 12 yr year,years,yrs
litre 1 L l,liter,liters,litre,litres
litre 1/1000 mL ml,milliliter,milliliters,millilitre,millilitres
cup 16 gal gallon,gallons
cup 4 qt quart,quarts
cup 2 pt pint,pints
cup 1 cups cup
USD 1 USD dollar,dollars,usd
USD 1/100 ¢ cent,cents
EUR 1 EUR euro,euros,eur
GBP 1 GBP gbp
JPY 1 JPY yen,jpy
INR 1 INR rupee,rupees,inr
N 1 N newton,newtons
J 1 J joule,joules
J 1000 kJ kilojoule,kilojoules
W 1 W watt,watts
W 1000 kW kilowatt,kilowatts
V 1 V volt,volts
A 1 amp ampere,amperes,amps
ohm 1 ohm ohms
Hz 1 Hz hertz
Pa 1 Pa pascal,pascals
K 1 K kelvin,kelvins
degC 1 degC celsius
degF 1 degF fahrenheit
mol 1 mol mole,moles
rad 1 rad radian,radians
byte 1 B byte,bytes
byte 1000 kB kilobyte,kilobytes
byte 1000000 MB megabyte,megabytes
byte 1000000000 GB gigabyte,gigabytes
"""
PERCENT, DEGREE = "percent", "degree"
_SPEEDS = {"mph": ("mi", "h"), "kph": ("km", "h"), "kmh": ("km", "h"), "kmph": ("km", "h")}
_SYMBOLS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "¢": "cents"}
_CODES = {"rs": "INR", "rs.": "INR", "usd": "USD", "us$": "USD", "eur": "EUR", "gbp": "GBP"}
_LONE_WORDS = "m s g h L l N J W V K C F A t d"
_LONE = frozenset(_LONE_WORDS.split())
"""Letters that are units after a number and a space; elsewhere they are variables."""
_POWERS = {"square": 2, "sq": 2, "sq.": 2, "cubic": 3, "cu": 3, "cu.": 3}
_NEVER_WORDS = (
    "or and not is to by if on plus minus times equals equal over than less more greater at "
    "but maybe perhaps unknown sin cos tan log ln sqrt pi either neither never none no out of "
    "half third thirds quarter quarters halves fifth fifths million billion thousand hundred "
    "trillion dozen undefined infinity where when with for otherwise such sum root squared "
    "cubed"
)
_NEVER = frozenset(_NEVER_WORDS.split())
_TRAILING_WORDS = "each total altogether apiece long wide tall high deep old away left more per"
_TRAILING = frozenset(_TRAILING_WORDS.split())


@dataclass(frozen=True, slots=True)
class Unit:
    """What a number counts.

    Attributes:
        known: Whether it is a unit of the table rather than a noun.
        factor: How many base units it is.
        dimension: Base units and their powers, sorted; empty for nouns.
        noun: The words, for a noun.
        special: `percent` or `degree`: numbers by themselves, often left out.
    """

    known: bool = False
    factor: Fraction = Fraction(1)
    dimension: tuple[tuple[str, int], ...] = ()
    noun: str = ""
    special: str = ""


NONE = Unit()
_WORD = re.compile(
    r"\s*(?:\\text\s*\{(?P<text>[^{}]*)\}|(?P<circ>\^\s*\\circ)|(?P<power>\^\s*\{?\s*(?P<n>-?\d)\s*\}?)"
    r"|(?P<word>[A-Za-z][A-Za-z']*\.?)|(?P<sign>[%/€£¥₹¢$*-]|\\cdot|\\times))"
)


@dataclass(slots=True)
class _Reader:
    factor: Fraction = Fraction(1)
    powers: dict[str, int] = field(default_factory=dict)
    last: tuple[str, Fraction, int] | None = None
    sign: int = 1
    pending: int = 1

    def add(self, base: str, factor: Fraction) -> None:
        self.last = (base, factor, self.sign * self.pending)
        self._apply(self.sign * self.pending)
        self.sign, self.pending = 1, 1

    def raise_last(self, power: int) -> None:
        assert self.last is not None
        base, factor, sign = self.last
        self._apply(sign * power - sign)
        self.last = (base, factor, sign * power)

    def _apply(self, times: int) -> None:
        assert self.last is not None
        base, factor, _ = self.last
        self.factor *= factor**times
        self.powers[base] = self.powers.get(base, 0) + times


@cache
def _units() -> Mapping[str, tuple[str, Fraction]]:
    made: dict[str, tuple[str, Fraction]] = {}
    for line in _TABLE.split("\n"):
        if line:
            base, factor, name, others = (*line.split(" "), "")[:4]
            for word in (name, *filter(None, others.split(","))):
                made[word] = (base, Fraction(factor))
    return made


def read_unit(tail: str, *, gap: bool) -> Unit | None:
    """The unit that a tail of a text is; None if it is none.

    Args:
        tail: What stands behind the number.
        gap: Whether white space parts them: `5 m` is a length, `5m` a product.
    """
    words = _words(tail)
    if words is None or not words:
        return None
    fonted = r"\text" in tail
    first = words[0]
    if len(words) == 1 and first in ("%", "percent", "pct", "percents"):
        return Unit(True, special=PERCENT)
    if words[:2] == ["per", "cent"] and len(words) == 2:
        return Unit(True, special=PERCENT)
    if first in ("^circ", "degree", "degrees", "deg") and len(words) <= 2:
        scale = words[1].rstrip(".").lower() if len(words) == 2 else ""
        if not scale:
            return Unit(True, special=DEGREE)
        name = {"c": "degC", "celsius": "degC", "f": "degF", "fahrenheit": "degF"}.get(scale)
        return Unit(True, dimension=((name, 1),)) if name else None
    if not gap and not fonted and len(first) == 1 and first.isalpha():
        return None
    known = _known(words, lone=gap or fonted)
    if known is not None:
        return known
    return _noun(words) if gap or fonted else None


def currency(sign: str) -> Unit | None:
    """The unit of a sign or code before a number."""
    name = _SYMBOLS.get(sign) or _CODES.get(sign.lower())
    if name is None:
        return None
    base, factor = _units()[name]
    return Unit(True, factor, ((base, 1),))


def _words(tail: str) -> list[str] | None:
    made: list[str] = []
    at = 0
    end = len(tail.rstrip())
    while at < end:
        match = _WORD.match(tail, at)
        if match is None or len(made) > 12:
            return None
        if match["text"] is not None:
            inner = _words(match["text"])
            if inner is None:
                return None
            made += inner
        elif match["circ"]:
            made.append("^circ")
        elif match["power"]:
            made.append(f"^{match['n']}")
        else:
            made.append(match["word"] or match["sign"])
        at = match.end()
    return made


def _known(words: list[str], *, lone: bool) -> Unit | None:
    reader = _Reader()
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word.startswith("^") and word != "^circ":
            if reader.last is None:
                return None
            reader.raise_last(int(word[1:]))
        elif word in ("squared", "cubed") and reader.last is not None:
            reader.raise_last(2 if word == "squared" else 3)
        elif word in ("/", "per"):
            reader.sign = -1
        elif word in ("*", "-", r"\cdot") and reader.last is not None:
            continue
        elif word.lower() in _POWERS:
            reader.pending = _POWERS[word.lower()]
        elif word.lower() in _SPEEDS:
            top, bottom = _SPEEDS[word.lower()]
            reader.add(*_units()[top])
            reader.sign = -1
            reader.add(*_units()[bottom])
        else:
            found = _lookup(word, lone=lone)
            if found is not None:
                reader.add(*found)
            elif reader.last is not None and _is_remark(words[at - 1 :]) and reader.sign > 0:
                break
            else:
                return None
    if reader.last is None or reader.sign < 0 or reader.pending > 1:
        return None
    dimension = tuple(sorted((b, p) for b, p in reader.powers.items() if p))
    return Unit(True, reader.factor, dimension) if dimension else None


def _lookup(word: str, *, lone: bool) -> tuple[str, Fraction] | None:
    bare = word.rstrip(".")
    if len(bare) == 1 and bare.isalpha() and (not lone or bare not in _LONE):
        return None
    if bare in _SYMBOLS:
        return _units()[_SYMBOLS[bare]]
    table = _units()
    return (
        table.get(bare)
        or (table.get(bare.lower()) if len(bare) > 2 else None)
        or (table["inches"] if word == "in." or (bare == "in" and lone) else None)
    )


def _is_remark(words: list[str]) -> bool:
    return all(w.isalpha() and len(w) > 1 and w.lower() not in _NEVER for w in words)


def _noun(words: list[str]) -> Unit | None:
    if len(words) > 6 or not any(len(w) > 2 for w in words):
        return None
    for at, word in enumerate(words):
        bare = word.rstrip(".")
        if bare == "of" and 0 < at < len(words) - 1:  # slices of pizza
            continue
        if not bare.replace("'", "").isalpha() or bare.lower() in _NEVER or len(bare) < 2:
            return None
    kept = [w.rstrip(".").lower() for w in words]
    kept = [w for w in kept if w not in _TRAILING] or kept
    return Unit(noun=" ".join(w[:-1] if w.endswith("s") else w for w in kept))
