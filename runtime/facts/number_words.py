"""English words for numbers, scales and months."""

from __future__ import annotations

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
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

SOFT = {
    "half": 0.5, "quarter": 0.25, "single": 1.0, "once": 1.0, "first": 1.0, "second": 2.0,
    "both": 2.0, "pair": 2.0, "couple": 2.0, "dual": 2.0, "double": 2.0, "twice": 2.0, "twin": 2.0,
    "third": 3.0, "triple": 3.0, "fourth": 4.0, "fifth": 5.0, "dozen": 12.0, "decade": 10.0,
    "century": 100.0,
}  # fmt: skip
"""Words that bear out a number of the other text, and are no number of their own."""

MONTHS = {
    name: month for month, names in enumerate(_MONTHS.split(), start=1) for name in names.split(",")
}
