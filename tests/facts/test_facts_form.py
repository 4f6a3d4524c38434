from __future__ import annotations

import pytest

from mashbill.runtime.facts.form import meta_talk, refusal
from mashbill.runtime.facts.loops import looped, repeated
from mashbill.runtime.facts.support import align
from mashbill.runtime.facts.text import read

SOURCE = "The kettle boils. It holds two litres of water and weighs a kilogram."

META = [
    "Here's a rewritten version of the text:\n\nThe kettle boils.",
    "Here is the revised text: The kettle boils.",
    "Rewrite this text in neutral, encyclopedic English:\n\nThe kettle boils.",
    "- Rewrite:\n- The kettle boils.",
    "Sure! The kettle boils.",
    "The original text is: The kettle boils.",
    "The kettle boils.\n\nI've also made minor adjustments to the original wording.",
    'The kettle boils.\n- Changed "boil" to "boils" to fix the verb.',
    "This text has been rewritten for clarity. The kettle boils.",
    "The kettle boils. I hope this helps!",
    "The kettle boils. Let me know if you need more.",
    "I’ll rephrase this text to make it clearer: The kettle boils.",
]


@pytest.mark.parametrize("text", META)
def test_meta_talk(text: str) -> None:
    said = meta_talk(text, SOURCE)
    assert said
    assert said in text.replace("’", "'")
    assert meta_talk(text, f"{text} {SOURCE}") == ""


@pytest.mark.parametrize(
    "text",
    [
        SOURCE,
        "I have two kettles, and I changed my mind about the text on the box.",
        "The king sent a message. The sentence was death. I made tea.",
        "Certain people drink tea; here is a kettle for them.",
        "She rewrote history.",
    ],
)
def test_plain_talk(text: str) -> None:
    assert meta_talk(text, SOURCE) == ""
    assert refusal(text, SOURCE) == ""


@pytest.mark.parametrize(
    "text", ["I'm sorry, but I can't do that.", "As an AI, I have no kettle.", "I cannot assist."]
)
def test_refusal(text: str) -> None:
    assert refusal(text, SOURCE)
    assert refusal(text, f"She said: {text}") == ""


def test_a_loop_is_more_than_the_source_has() -> None:
    twice = "It holds two litres of water. " * 2
    assert looped(read(twice), read(SOURCE)) == "It holds two litres of water."
    assert looped(read(twice), read(twice)) == ""
    assert looped(read(twice + twice), read(twice)) != ""
    assert looped(read("Yes. Yes. Yes."), read(SOURCE)) == ""


def _repeats(got: str, source: str) -> tuple[float, list[str]]:
    (aligned,) = align(read(got), read(source))
    return repeated(aligned)


def test_words_said_again() -> None:
    source = "Mobile gaming has made cloud computing essential."
    share, words = _repeats("Mobile gaming has made mobile gaming essential.", source)
    assert words == ["mobil", "gam"]
    assert share == pytest.approx(2 / 5)
    assert _repeats("Cloud computing is what mobile gaming has made essential.", source) == (
        0.0,
        [],
    )


def test_words_that_the_source_says_again() -> None:
    source = "The old mill and the new mill stand side by side."
    assert _repeats("Side by side stand the old mill and the new mill.", source) == (0.0, [])
