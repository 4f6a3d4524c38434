"""English words for numbers, scales, ordinals, parts and months; Roman numerals."""

from __future__ import annotations

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINALS = (
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
    "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
)
_MONTHS = (
    "january,jan february,feb march,mar april,apr may june,jun july,jul august,aug "
    "september,sept,sep october,oct november,nov december,dec"
)

UNITS = {word: float(value) for value, word in enumerate(_SMALL.split())} | {
    word: 10.0 * value for value, word in enumerate(_TENS.split(), start=2)
}

SCALES = {
    "one": 1.0,
    "hundred": 100.0,
    "k": 1e3,
    "thousand": 1e3,
    "lakh": 1e5,
    "m": 1e6,
    "mn": 1e6,
    "million": 1e6,
    "crore": 1e7,
    "b": 1e9,
    "bn": 1e9,
    "billion": 1e9,
    "trillion": 1e12,
}

ORDINALS = {word: float(value) for value, word in enumerate(_ORDINALS.split())} | {
    word[:-1] + "ieth": 10.0 * value for value, word in enumerate(_TENS.split(), start=2)
}

SOFT = {
    **ORDINALS,
    "half": 0.5, "quarter": 0.25, "single": 1.0, "once": 1.0, "both": 2.0, "pair": 2.0,
    "couple": 2.0, "dual": 2.0, "double": 2.0, "twice": 2.0, "twin": 2.0, "triple": 3.0,
    "thrice": 3.0, "dozen": 12.0, "decade": 10.0, "century": 100.0,
}  # fmt: skip
"""Words that bear out a number of the other text, and are no number of their own."""

PARTS = {"half": 2.0, "halve": 2.0, "quarter": 4.0} | {
    word: value for word, value in ORDINALS.items() if value > 2
}
"""What the denominator of a fraction in words divides by: `two thirds`."""

GLYPHS = {"½": 1 / 2, "¼": 1 / 4, "¾": 3 / 4, "⅓": 1 / 3, "⅔": 2 / 3, "⅛": 1 / 8, "⅜": 3 / 8,
          "⅝": 5 / 8, "⅞": 7 / 8}  # fmt: skip

MONTHS = {
    name: month for month, names in enumerate(_MONTHS.split(), start=1) for name in names.split(",")
}

_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


def roman(word: str) -> int:
    """The value of a Roman numeral below 90 of at least two letters, as in `Henry VIII`; else 0.

    >>> roman("VIII"), roman("XIV"), roman("MIX")
    (8, 14, 0)
    """
    if len(word) < 2 or not set(word) <= {"I", "V", "X", "L"}:
        return 0
    values = [_ROMAN[letter] for letter in word]
    total = sum(
        -value if value < after else value
        for value, after in zip(values, [*values[1:], 0], strict=True)
    )
    return total if _written(total) == word else 0


def _written(value: int) -> str:
    steps = ((50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))
    letters = ""
    for size, sign in steps:
        letters += sign * (value // size)
        value %= size
    return letters


def value_of(word: str) -> str:
    """The whole number that a word of a name stands for: `Two`, `II` and `2` are one."""
    low = word.casefold()
    value = UNITS.get(low) or ORDINALS.get(low) or roman(word)
    return f"{value:.12g}" if value else ""
