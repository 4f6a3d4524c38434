from __future__ import annotations

from collections.abc import Callable

import pytest

from mashbill.runtime.facts.gate import STYLES, judge
from mashbill.runtime.facts.support import Aligned, align
from mashbill.runtime.facts.text import read
from mashbill.runtime.facts.turns import claim, negation, obligation


def _turn(turn: Callable[[Aligned], str], got: str, source: str) -> str:
    return next((word for one in align(read(got), read(source)) if (word := turn(one))), "")


@pytest.mark.parametrize(
    ("got", "source"),
    [
        ("The bridge doesn't carry trains.", "The bridge carries trains."),
        ("Trains stop on the bridge.", "Trains do not stop on the bridge."),
        ("Trains stop there.", "Trains don’t stop there."),
        ("The games were unpredictable.", "The games were predictable and long."),
        ("The games were predictable.", "The games were unpredictable and long."),
        ("It ships without a cable.", "It ships with a cable."),
        ("Never wash the pan.", "Wash the pan."),
    ],
)
def test_negation(got: str, source: str) -> None:
    assert _turn(negation, got, source)


@pytest.mark.parametrize(
    ("got", "source"),
    [
        ("The pan is light.", "The pan isn't heavy."),
        ("It lacks a lid, so it is not for soup.", "It lacks a lid and is of no use for soup."),
        ("Trains never halt on it.", "Trains do not halt on it."),
        ("Noting the price, she paid.", "She noted the price and paid."),
        ("Without a cable it ships.", "It ships without a cable."),
        ("The unit is new.", "The new unit it is."),
    ],
)
def test_no_negation(got: str, source: str) -> None:
    assert _turn(negation, got, source) == ""


def test_obligation() -> None:
    source = "Some activities require a licence from the state."
    assert _turn(obligation, "Some activities should require a licence.", source) == "should"
    assert _turn(obligation, "Activities need to get a licence.", "Activities get a licence.")
    assert _turn(obligation, "For some activities a licence is required.", source) == ""
    assert _turn(obligation, "Activities must have a licence.", source) == ""


def test_claim() -> None:
    source = "The kettle boils fast and holds two litres."
    assert _turn(claim, "The kettle boils fast because it holds two litres.", source) == "because"
    assert _turn(claim, "The kettle boils fast, but holds two litres.", source) == "but"
    given = "As the kettle is small, it boils fast, though it holds two litres."
    assert _turn(claim, "The kettle boils fast because it is small.", given) == ""
    assert _turn(claim, "It boils fast, but it holds two litres.", given) == ""


def test_a_sentence_taken_over_turns_nothing() -> None:
    text = "You must not go, because it never rains, but pours."
    assert align(read(text), read(f"First. {text} Last.")) == []


def test_nobody_is_turned_into_the_other_sex() -> None:
    source = "His father made clocks in Leeds, and he learned the trade there."
    turned = "Her father made clocks in Leeds, and she learned the trade there."
    assert judge(turned, source, STYLES["sentence"]).reason == "person"
    assert judge(source, source, STYLES["sentence"]).passed
    both = "His sister made clocks, and she sold them."
    assert (
        judge("She sold the clocks that his sister made.", both, STYLES["sentence"]).reason
        != "person"
    )


def test_a_negator_less_is_a_negation() -> None:
    limits = STYLES["sentence"]
    source = "But, today I'm not going to do that."
    assert judge("Today I'm going to do that.", source, limits).reason == "negation"
    source = "My house is limited by the size of my trailer."
    turned = "Your house is limited by the size of your trailer."
    assert judge(turned, source, limits).reason == "person"
