"""The words of the `fake` engine: babble, and a paraphrase that is now and then untrue."""

from __future__ import annotations

import random
import re

WRONG_NUMBER = 0.12
"""Share of paraphrases in which one number is changed, if there is one."""
INVENTED_NAME = 0.08
"""Share of paraphrases that add a person of their own."""

_SYLLABLES = ("ba", "co", "di", "fu", "ge", "ha", "li", "mo", "nu", "pe", "ra", "so", "ti", "ve")
_FIRST = ("Orla", "Teodor", "Maren", "Iskander", "Wilhelmina")
_LAST = ("Vesk", "Brandurdottir", "Quill", "Okonedo", "Harkaway")

# Words whose exchange leaves what a sentence says as it was.
_SWAPS = {
    "about": "around",
    "also": "too",
    "although": "though",
    "because": "since",
    "begin": "start",
    "big": "large",
    "but": "yet",
    "however": "still",
    "many": "numerous",
    "often": "frequently",
    "quickly": "fast",
    "show": "display",
    "shows": "displays",
    "use": "employ",
    "used": "employed",
    "usually": "mostly",
    "while": "whilst",
}
_WORD = re.compile(rf"\b({'|'.join(_SWAPS)})\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?])([ \t]+|\n+)|(\n+)")
# "In 1903, she won it." One comma, and an opening that can stand at the end as well.
_OPENING = re.compile(
    r"(After|At|Before|By|During|For|From|In|On|Since|Until|When|With)"
    r" ([^,\n]{2,60}), ([^,\n]+)([.!])"
)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def babble(key: bytes) -> str:
    """Pseudo-text of 8 to about 1,000 tokens, half of it under 90. `max_tokens` has no say."""
    random_ = random.Random(key)
    left = int(8 * 2 ** (7 * random_.random()))
    sentences: list[str] = []
    while left > 0:
        count = min(left, random_.randint(4, 14))
        words = [
            "".join(random_.choices(_SYLLABLES, k=random_.randint(1, 2))) for _ in range(count)
        ]
        sentences.append(" ".join(words).capitalize() + ".")
        left -= count
    return " ".join(sentences)


def paraphrase(key: bytes, text: str) -> str:
    """Say the same with some words exchanged and clauses moved; a share of the replies is wrong.

    Numbers and names survive, except that by the key `WRONG_NUMBER` of the replies change a number
    and `INVENTED_NAME` of them bring in a name.
    """
    random_ = random.Random(key)
    fate = random_.random()
    parts = [part for part in _SENTENCE_END.split(text) if part]
    said = "".join(_reorder(_exchange(part, random_), random_) for part in parts)
    numbers = list(_NUMBER.finditer(said))
    if fate < WRONG_NUMBER and numbers:
        return _miscount(said, random_.choice(numbers), random_)
    if fate < WRONG_NUMBER + INVENTED_NAME:
        name = f"{random_.choice(_FIRST)} {random_.choice(_LAST)}"
        return f"{said.rstrip()} {name} said so."
    return said


def _exchange(text: str, random_: random.Random) -> str:
    def other(found: re.Match[str]) -> str:
        word = found[0]
        swap = _SWAPS[word.lower()]
        if random_.random() < 0.3 or word.isupper():
            return word
        return swap.capitalize() if word[0].isupper() else swap

    return _WORD.sub(other, text)


def _reorder(sentence: str, random_: random.Random) -> str:
    found = _OPENING.fullmatch(sentence)
    if found is None or random_.random() < 0.3:
        return sentence
    word, clause, rest, end = found.groups()
    return f"{rest[0].upper()}{rest[1:]} {word.lower()} {clause}{end}"


def _miscount(text: str, number: re.Match[str], random_: random.Random) -> str:
    # The last digit becomes another one, so that the number keeps its shape.
    at = number.end() - 1
    digit = (int(text[at]) + random_.randint(1, 9)) % 10
    return f"{text[:at]}{digit}{text[at + 1 :]}"
