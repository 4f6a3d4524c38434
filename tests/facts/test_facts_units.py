"""Units and money: a number that counts something else is another number."""

from __future__ import annotations

import pytest

from mashbill.runtime.facts import kept
from mashbill.runtime.facts.derived import borne_out, derived
from mashbill.runtime.facts.number_words import roman
from mashbill.runtime.facts.text import read
from mashbill.runtime.facts.units import unit_after


def _invented(got: str, source: str) -> list[str]:
    return [number.raw for number in kept.numbers_invented(read(got), read(source))]


SAME = [
    ("It is 5 km long.", "It is five kilometres long."),
    ("It is 5,000 metres long.", "It is 5 km long."),
    ("It weighs 2 lb.", "It weighs 32 ounces."),
    ("It took 90 minutes.", "It took 1.5 hours."),
    ("It ran for 24 months.", "It ran for two years."),
    ("It costs 5 pounds.", "It costs £5."),
    ("It costs $3.2 million.", "It costs 3,200,000 dollars."),
    ("It costs €5m.", "It costs 5 million euros."),
    ("Add ½ cup.", "Add half a cup."),
    ("Add 1 1/2 cups.", "Add 1½ cups."),
    ("Two-thirds of them went.", "2/3 of them went."),
    ("75% of them went.", "Three quarters of them went."),
    ("Henry the Eighth reigned.", "Henry VIII reigned."),
    ("In World War Two it stood.", "In World War II it stood."),
    ("It opens at 15:30.", "It opens at 3:30 pm."),
    ("It began in the 1800s.", "It began in the 19th century."),
    ("About 93 km of it stand.", "93.2 km of it stand."),
    ("It holds between 10 and 12 kg.", "It holds 10-12 kg."),
    ("It was 3/5/2020.", "It was 3 May 2020."),
    ("The twenty-first door is red.", "Door 21 is red."),
]


@pytest.mark.parametrize(("got", "source"), SAME)
def test_same_measure_however_written(got: str, source: str) -> None:
    assert _invented(got, source) == []


OTHER = [
    ("It is 5 miles long.", "It is 5 km long.", "5 miles"),
    ("It costs $5.", "It costs £5.", "$5"),
    ("It took 90 seconds.", "It took 90 minutes.", "90 seconds"),
    ("It ran 2 weeks.", "It ran 2 months.", "2 weeks"),
    ("It opens at 3 pm.", "It opens at 3 am.", "3 pm"),
    ("It holds 5 MB.", "It holds 5 GB.", "5 MB"),
    ("93 km of it stand.", "93.2 km of it stand.", "93 km"),
    ("About 90 km of it stand.", "97 km of it stand.", "90 km"),
    ("Three quarters of them went.", "Two thirds of them went.", "Three quarters"),
]


@pytest.mark.parametrize(("got", "source", "invented"), OTHER)
def test_another_measure_is_invented(got: str, source: str, invented: str) -> None:
    assert invented in _invented(got, source)


def test_another_unit_keeps_the_number() -> None:
    source = read("It is 5 km long and holds 93.2 litres.")
    got = read("It is 5,000 m long and holds about 93 litres.")
    assert kept.numbers_lost(got, source) == ([], 1.0)


@pytest.mark.parametrize(
    ("text", "dimension"),
    [
        ("12 square feet of", "acre"),
        ("12-year-old", "month"),
        ("12 miles per hour", "mph"),
        ("12 a.m. sharp", "am"),
        ("12 Degrees Celsius", "celsius"),
        ("12 apples", None),
        ("12 in a row", None),
        ("12", None),
    ],
)
def test_unit_after(text: str, dimension: str | None) -> None:
    found = unit_after(text, 2)
    assert (found[0].dimension if found else None) == dimension


def test_roman() -> None:
    assert [roman(word) for word in ("II", "IX", "XLIV", "IIII", "VX", "I", "MIX")] == [
        2, 9, 44, 0, 0, 0, 0,
    ]  # fmt: skip


def test_derived_values_hold_only_by_right_arithmetic() -> None:
    assert list(derived("So 2 + 3 * 4 = 14, 9 / 0 = 0 and 7 - 5 = 3.")) == [([2.0, 3.0, 4.0], 14.0)]
    given = read("She has 7 boxes with 8 pens.").numbers
    assert 56.0 in borne_out("7 boxes * 8 pens = 56 pens; 56 / 2 = 28.", given)
    assert 28.0 in borne_out("7 boxes * 8 pens = 56 pens; 56 / 2 = 28.", given)
    assert 99.0 not in borne_out("9 * 11 = 99", given)
