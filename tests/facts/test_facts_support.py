from __future__ import annotations

import pytest

from mashbill.runtime.facts import support
from mashbill.runtime.facts.text import read
from mashbill.runtime.facts.words import FUNCTION, fold, stem


@pytest.mark.parametrize(
    "forms",
    [
        "optimize optimizes optimized optimizing",
        "city cities",
        "plan plans planned planning",
        "box boxes",
        "quick quickly",
        "technology technologies",
        "class classes",
        "stop stops stopped stopping",
    ],
)
def test_inflections_share_a_stem(forms: str) -> None:
    assert len({stem(form) for form in forms.split()}) == 1


def test_stems_keep_words_apart() -> None:
    assert stem("noting") != "not"
    assert stem("bus") == "bus"
    assert all(stem(word) == word for word in FUNCTION)
    assert stem("пароходы") == "пароходы"


def test_fold_opens_contractions() -> None:
    assert fold("CAN’T") == ("can", "not")
    assert fold("they're") == ("they", "are")
    assert fold("d'Or") == ("d", "or")
    assert fold("'") == ()


def test_sentences_of_a_text() -> None:
    text = read(
        'One is "here." Two (e.g. this) costs 3.5 euros, see No. 7.\n\n- Three\n—\n四。五！'
    )
    assert [s.raw for s in text.sentences] == [
        'One is "here.',
        "Two (e.g. this) costs 3.5 euros, see No. 7.",
        "- Three",
        "四。",
        "五！",
    ]


def test_place_is_the_sentence_that_says_the_like() -> None:
    source = read("Cats sleep all day. Dogs guard the old house. Birds sing at dawn.")
    (one,) = support.align(read("The old house is guarded by dogs and robots."), source)
    assert [s.raw for s in one.place] == ["Dogs guard the old house."]
    assert one.sentence.written(one.missing) == ["robots"]
    assert one.novelty == pytest.approx(1 / 5)


def test_place_may_be_two_neighbours_but_not_two_ends() -> None:
    source = read("Cats sleep all day. Dogs guard houses. Fish swim. Birds sing at dawn.")
    (joined,) = support.align(read("Cats sleep while dogs guard houses."), source)
    assert joined.novelty == 0.0
    (mixed,) = support.align(read("Cats sleep while birds sing."), source)
    assert mixed.novelty == pytest.approx(1 / 2)


def test_nothing_shared_is_all_novel() -> None:
    (one,) = support.align(read("Robots dream."), read("Cats sleep."))
    assert one.place == ()
    assert one.novelty == 1.0


def test_a_word_in_every_sentence_still_finds_its_place() -> None:
    source = read("\n".join(f"The kettle number {i} boils" for i in range(500)))
    (one,) = support.align(read("A kettle boils"), source)
    assert one.novelty == 0.0


def test_coverage_and_retold() -> None:
    source = read("The mill opened in 1903. It grinds corn for farmers.")
    got = read("The mill opened in 1903.")
    assert support.coverage(got, source) == pytest.approx(2 / 5)
    assert support.retold(got, source).sentences == source.sentences[:1]
    cut = read("The mill opened.")
    assert support.retold(cut, source).sentences == source.sentences[:1]
    assert support.coverage(read("x"), read("1903")) == 1.0


def test_disorder() -> None:
    source = read("Dogs guard the old house while cats sleep.")
    pairs = support.pairs(source)

    def disorder(text: str) -> float:
        (one,) = support.align(read(text), source)
        return support.disorder(one, pairs)

    assert disorder("Dogs guard the old house.") == 0.0
    assert disorder("House old the guard dogs.") == 1.0
