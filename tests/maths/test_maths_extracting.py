"""Where an answer stands."""

from __future__ import annotations

import pytest

from mashbill.runtime.maths.extracting import extract


@pytest.mark.parametrize(
    ("text", "answer", "how"),
    [
        (r"So \boxed{42}.", "42", "boxed"),
        (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}", "boxed"),
        (r"\boxed{\left\{1, 2\right\}}", r"\left\{1, 2\right\}", "boxed"),
        (r"First \boxed{1}, then \boxed{2} #### 3", "2", "boxed"),
        (r"\boxed{5} and later \boxed{}", "5", "boxed"),
        (r"\fbox{9}", "9", "boxed"),
        (r"so it must be \boxed{17", "17", "boxed"),
        (r"so it must be \boxed 17", "17", "boxed"),
        ("48 + 24 = 72\n#### 72", "72", "hashes"),
        ("#### 1,250 ", "1,250", "hashes"),
        ("#### 5\nNo:\n#### 6", "6", "hashes"),
        ("The answer is 12.", "12", "said"),
        ("The answer is: 12.5. That is all.", "12.5", "said"),
        ("Therefore, the final answer is $\\frac{3}{4}$.", r"$\frac{3}{4}$", "said"),
        ("Answer: (B)", "(B)", "said"),
        ("**Answer:** 7", "7", "said"),
        ("The correct answer is B) 14", "B) 14", "said"),
        ("Q: how many?\nA: 12 apples", "12 apples", "said"),
        ("The answer is that she has 8 pens left", "8", "said"),
        ("72", "72", "bare"),
        ("  1,024 ", "1,024", "bare"),
        ("8 red apples", "8 red apples", "bare"),
        (r"\frac{1}{2}", r"\frac{1}{2}", "bare"),
        ("9^{9^{9}}", "9^{9^{9}}", "bare"),
        ("Monday", "Monday", "bare"),
        ("We get $x^2 = 4$ and so $x = 2$, done then.", "x = 2", "latex"),
        (r"We conclude that \(y = 3\) holds here.", "y = 3", "latex"),
        ("She pays $5 and $6, which is $11 for both of them", "$11", "last_number"),
        ("So she has 1,080 of the 3 kinds, that is 1,083 in total.", "1,083", "last_number"),
        ("It fell from 20 degrees by 25 degrees, down to -5 degrees.", "-5", "last_number"),
        ("After some thought this comes to about 12.5% of them all", "12.5%", "last_number"),
    ],
)
def test_found(text: str, answer: str, how: str) -> None:
    found = extract(text)
    assert found is not None
    assert (found.answer, found.how) == (answer, how)


@pytest.mark.parametrize(
    "text", ["", "  \n", "I do not know how to solve any of this, I am sorry."]
)
def test_nothing_found(text: str) -> None:
    assert extract(text) is None


def test_several_boxes_are_counted() -> None:
    found = extract(r"\boxed{1} \boxed{2} \boxed{3}")
    assert found is not None and found.many == 3


def test_long_texts_are_searched_from_their_end() -> None:
    found = extract("x " * 300_000 + "#### 5")
    assert found is not None and found.answer == "5"
