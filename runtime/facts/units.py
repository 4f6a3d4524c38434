"""Units of measure and currencies: what a number counts, and how much that is in a base unit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_TABLE = {
    "metre": {
        "nm nanometre nanometer": 1e-9, "µm μm micron": 1e-6, "mm millimetre millimeter": 0.001,
        "cm centimetre centimeter": 0.01, "m metre meter": 1.0, "km kms kilometre kilometer": 1e3,
    },
    "mile": {
        "mile mi": 1.0, "yard yd yds": 1 / 1760, "foot feet ft": 1 / 5280,
        "inch inches ″": 1 / 63360,
    },
    "gram": {
        "µg μg mcg microgram": 1e-6, "mg milligram": 0.001, "g gram gramme": 1.0,
        "kg kgs kilo kilogram": 1e3, "tonne": 1e6,
    },
    "lb": {"lb lbs": 1.0, "oz ounce": 1 / 16},
    "litre": {"ml mL millilitre milliliter": 0.001, "cl cL": 0.01, "l L litre liter": 1.0},
    "gallon": {
        "gallon gal": 1.0, "quart": 1 / 4, "pint": 1 / 8, "cup": 1 / 16,
        "tablespoon tbsp": 1 / 256, "teaspoon tsp": 1 / 768,
    },
    "area": {"m² sqm square_metre square_meter": 1.0, "hectare ha": 1e4},
    "acre": {"acre": 1.0, "sqft square_foot square_feet sq_ft sq._ft ft²": 1 / 43560},
    "km/h": {"km/h kph kmh kilometre_per_hour kilometer_per_hour": 1.0},
    "mph": {"mph mile_per_hour mile_an_hour": 1.0},
    "minute": {
        "ms millisecond": 1 / 60_000, "sec secs second": 1 / 60, "min mins minute": 1.0,
        "h hr hrs hour": 60.0, "day": 1440.0, "week wk wks": 10_080.0,
    },
    "month": {"month": 1.0, "year yr yrs": 12.0, "decade": 120.0},
    "celsius": {"°C ℃ degree_celsius degrees_celsius celsius degrees_c": 1.0},
    "fahrenheit": {"°F ℉ degree_fahrenheit degrees_fahrenheit fahrenheit degrees_f": 1.0},
    "watt": {
        "mW": 0.001, "W watt": 1.0, "kW kilowatt": 1e3, "MW megawatt": 1e6, "GW gigawatt": 1e9,
    },
    "watt hour": {"Wh": 1.0, "kWh kilowatt_hour": 1e3, "MWh": 1e6},
    "volt": {"mV": 0.001, "V volt": 1.0},
    "amp hour": {"mAh": 1.0},
    "hertz": {"Hz hertz": 1.0, "kHz kilohertz": 1e3, "MHz megahertz": 1e6, "GHz gigahertz": 1e9},
    "byte": {
        "KB kB kilobyte": 1e3, "MB megabyte": 1e6, "GB gigabyte": 1e9, "TB terabyte": 1e12,
    },
    "decibel": {"dB decibel": 1.0},
    "$": {"$ USD dollar buck": 1.0, "cent": 0.01},
    "€": {"€ EUR euro": 1.0},
    "£": {"£ GBP quid": 1.0, "pence": 0.01},
    "¥": {"¥ JPY yen": 1.0},
    "₹": {"₹ INR rupee": 1.0},
    "pound": {"pound": 1.0},
    "point": {"percentage_point": 1.0},
    "am": {"am AM a.m. A.M. a.m A.M": 1.0},
    "pm": {"pm PM p.m. P.M. p.m P.M": 1.0},
}  # fmt: skip
"""By dimension, its units with their factor to one base. SI and US customary measures are two
dimensions: who converts between them rounds. Months and minutes have no common measure."""

_POUNDS = frozenset(("pound", "lb", "£"))
"""`pounds` may be either of the other two."""

_UNIT = re.compile(
    r"[ \u00a0-]?([^\W\d_]+(?:/h|²|\.[^\W\d_]\.?)?|°[CF]|[℃℉″$€£¥₹])(?![²\d])"
    r"(?:[ -]([^\W\d_]+)(?:[ -]([^\W\d_]+))?)?"
)
_BEFORE = re.compile(r"([$€£¥₹]|\b(?:USD|EUR|GBP|JPY|INR) ?)$")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: its dimension and its factor to the base of that dimension."""

    dimension: str
    factor: float

    @property
    def money(self) -> bool:
        """Whether it is a currency."""
        return self.dimension in "$€£¥₹"

    def fits(self, other: Unit) -> bool:
        """Whether both measure the same thing."""
        if self.dimension == other.dimension:
            return True
        pair = {self.dimension, other.dimension}
        return "pound" in pair and pair <= _POUNDS


def _named() -> Iterator[tuple[str, Unit]]:
    for dimension, units in _TABLE.items():
        for words, factor in units.items():
            for word in words.split():
                name, unit = word.replace("_", " "), Unit(dimension, factor)
                yield name, unit
                if len(name) > 2 and name.islower():
                    first, *rest = name.split()
                    yield " ".join((first + "s", *rest)), unit
                    yield name + "s", unit


_UNITS = dict(_named())


def unit_after(text: str, end: int) -> tuple[Unit, int] | None:
    """The unit that follows a number, and where it ends; or nothing.

    >>> unit_after("12 square feet of", 2)
    (Unit(dimension='acre', factor=2.295684113865932e-05), 14)
    """
    found = _UNIT.match(text, end)
    if not found:
        return None
    for last in (3, 2, 1):
        if found[last] is None:
            continue
        name = " ".join(found[i] for i in range(1, last + 1))
        unit = _UNITS.get(name)
        if unit is None and len(name) > 3:
            unit = _UNITS.get(name.lower())
        if unit:
            return unit, found.end(last)
    return None


def units_in(words: Iterable[str]) -> set[str]:
    """The dimensions of all units among some words, `%`-less: what a text measures in."""
    return {_UNITS[word].dimension for word in words if word in _UNITS}


def unit_before(text: str, start: int) -> Unit | None:
    """The currency that stands before a number; or nothing."""
    if not start or text[start - 1] not in "$€£¥₹ DRPYN":
        return None
    found = _BEFORE.search(text, max(0, start - 5), start)
    return _UNITS[found[1].strip()] if found else None
