"""Directions turned, roles exchanged, hedges lost, antecedents gone: and what only looks so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mashbill.runtime.facts import directions, hedges, references, swaps
from mashbill.runtime.facts.support import Aligned, align
from mashbill.runtime.facts.synonyms import root
from mashbill.runtime.facts.text import read


def _turn(turn: Callable[[Aligned], str], got: str, source: str) -> str:
    return next((word for one in align(read(got), read(source)) if (word := turn(one))), "")


@pytest.mark.parametrize(
    ("got", "source"),
    [
        ("Sales fell by 5% in May.", "Sales rose by 5% in May."),
        ("He ran home after lunch.", "He ran home before lunch."),
        ("The last train is slow.", "The first train is slow."),
        ("The mill is at most four metres.", "The mill is at least four metres."),
        ("He came in June.", "He came in July."),
        ("Turn right at the inn.", "Turn left at the inn."),
    ],
)
def test_direction(got: str, source: str) -> None:
    assert _turn(directions.turned, got, source)


@pytest.mark.parametrize(
    ("got", "source"),
    [
        ("The pan is light.", "The pan isn't heavy."),
        ("Lunch came before he ran home.", "He ran home after lunch came."),
        ("Sales climbed by 5%.", "Sales rose by 5%."),
        ("The old mill is near the new mill.", "The new mill is near the old mill."),
    ],
)
def test_no_direction(got: str, source: str) -> None:
    assert _turn(directions.turned, got, source) == ""


@pytest.mark.parametrize(
    ("got", "source"),
    [
        ("York beat Leeds in the cup.", "Leeds beat York in the cup."),
        ("Leeds was beaten by York.", "Leeds has beaten York."),
        ("The dog chased a cat up the hill.", "The cat chased a dog up the hill."),
        ("It has 5 doors and 7 windows.", "It has 7 doors and 5 windows."),
        ("Then John Fowler taught Ada Baker.", "Then Ada Baker taught John Fowler."),
    ],
)
def test_role(got: str, source: str) -> None:
    assert _turn(swaps.role, got, source)


@pytest.mark.parametrize(
    ("got", "source"),
    [
        ("York was beaten by Leeds in the cup.", "Leeds has beaten York in the cup."),
        ("York and Leeds share a cup.", "Leeds and York share a cup."),
        ("We sell tea, bread and milk there.", "We sell bread, tea and milk there."),
        ("In the cup, Leeds beat York.", "Leeds beat York in the cup."),
    ],
)
def test_no_role(got: str, source: str) -> None:
    assert _turn(swaps.role, got, source) == ""


def test_number_moved() -> None:
    source = read("Ada has 9 boxes in Leeds. Bob has 4 boxes in York. Eve has 7 cars.")
    (one,) = align(read("Ada has 7 boxes in Leeds."), source)
    assert swaps.number_moved(one, source) == "7 for 9"
    (joined,) = align(read("Ada has 9 boxes in Leeds and Eve has 7 cars."), source)
    assert swaps.number_moved(joined, source) == ""


def test_name_moved_but_not_in_place_of_a_pronoun() -> None:
    source = "In spring the hall was sold to Orion. It makes clocks. Later Zenith built ships."
    assert _turn(swaps.name_moved, "In spring the hall was sold to Zenith.", source)
    assert _turn(swaps.name_moved, "In Leeds, Orion makes clocks.", source) == ""


def test_hedge() -> None:
    assert _turn(hedges.hedge, "Cats sleep by day.", "Most cats sleep by day.") == "most cat"
    assert _turn(hedges.hedge, "The mill may close.", "The mill might close.") == ""
    assert _turn(hedges.hedge, "Mills grind corn.", "Some say that mills grind corn.") == ""
    assert _turn(hedges.overstated, "All cats sleep.", "Cats sleep by day.") == "all"
    assert _turn(hedges.overstated, "Every cat sleeps.", "All cats sleep.") == ""


def test_reference() -> None:
    source = read("The mill is by the river. Next stood Orion, an inn. It was sold to farmers.")

    def adrift(text: str) -> str:
        got = read(text)
        return references.adrift(got, source, align(got, source))

    assert adrift("The mill is by the river. It was sold to farmers.")
    assert adrift("The mill is by the river. Orion was an inn. It was sold to farmers.") == ""
    assert adrift("It was sold to farmers.") == ""


@pytest.mark.parametrize(
    "same",
    ["buy bought purchased", "colour color colors", "organise organized", "fall fell fallen",
     "kids children child", "use employ utilise", "hours hrs"],
)  # fmt: skip
def test_words_of_one_root(same: str) -> None:
    assert len({root(word) for word in same.split()}) == 1


def test_no_word_is_its_own_opposite() -> None:
    for word, others in directions.OPPOSITES.items():
        assert word not in others
