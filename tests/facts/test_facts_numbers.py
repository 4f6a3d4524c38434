from __future__ import annotations

import pytest

from mashbill.runtime.facts import kept
from mashbill.runtime.facts.numbers import find_numbers
from mashbill.runtime.facts.text import read


def _invented(got: str, source: str) -> list[str]:
    return [number.raw for number in kept.numbers_invented(read(got), read(source))]


SAME = [
    ("93M videos", "93 million videos"),
    ("93,000,000 videos", "93M videos"),
    ("1.5bn", "1,500,000,000"),
    ("140,000 people", "140000 people"),
    ("140 000 people".replace(" 0", "\u202f0"), "140,000 people"),
    ("20%", "20 percent"),
    ("twenty per cent", "20 %"),
    ("twenty-five rooms", "25 rooms"),
    ("two hundred and fifty thousand", "250,000"),
    ("3.50", "3.5"),
    ("3,5 km", "3.5 km"),
    ("1.234.567", "1,234,567"),
    ("1.234,50", "1,234.50"),
    ("between 10% and 20%", "10-20%"),
    ("5 million to 10 million", "5 to 10 million"),
    ("on 3 May 2020", "on 2020-05-03"),
    ("May 3, 2020", "3 May 2020"),
    ("3rd", "3"),
    ("2 handles", "both handles"),
    ("a dozen eggs, that is 12", "a dozen eggs"),
    ("٣٤", "34"),
    ("a million", "1 million"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_same_value_however_written(one: str, other: str) -> None:
    assert _invented(one, other) == []
    assert kept.numbers_lost(read(one), read(other)) == ([], 1.0)


OTHER = [
    ("245 meetings", "245M meetings", "245"),
    ("$9.81", "$99.81", "$9.81"),
    ("27%", "27 ounces", "27%"),
    ("27 ounces", "27%", "27 ounces"),
    ("a quarter, so 26%", "a quarter, so 25%", "26%"),
    ("two grapes", "grapes", "two"),
    ("version 7.1.1", "version 7.1.0", "7.1.1"),
    ("at 10:30", "at 10:03", "10:30"),
    ("3.2 pounds", "3.2 million pounds", "3.2 pounds"),
    ("4 May", "3 May", "4"),
    ("2,500", "2.5", "2,500"),
    ("7 of them", "version 7.1.0", "7"),
]


@pytest.mark.parametrize(("got", "source", "invented"), OTHER)
def test_another_value_is_invented(got: str, source: str, invented: str) -> None:
    assert invented in _invented(got, source)


@pytest.mark.parametrize(
    "text", ["1. Wash the leaf.", "(2) Dry it.", "the QC35 and the F-150", "one of us", "half"]
)
def test_no_fact_of_its_own(text: str) -> None:
    assert not [n.raw for n in find_numbers(text) if n.firm]


def test_numbering_lends_support() -> None:
    assert _invented("Step 2: dry it.", "2. Dry it.") == []


def test_lost_counts_values_once() -> None:
    source = read("It cost $5 in 1903, 5 dollars, and $7 in 1904.")
    lost, share = kept.numbers_lost(read("It cost $5 in 1903."), source)
    assert lost == ["$7", "1904"]
    assert share == 0.5
