"""Steps of arithmetic: found where they are, judged by value, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mashbill.runtime.maths.steps import find_steps


def judged(text: str) -> list[bool]:
    return [step.holds for step in find_steps(text)]


@pytest.mark.parametrize(
    "text",
    [
        "48 / 2 = 24",
        "<<48/2=24>>",
        "She sold 48/2 = <<48/2=24>>24 clips.",
        "3 × 4 = 12",
        "2 x 16 = 32 and 12 ÷ 4 = 3",
        "5 * (2 + 3) = 25",
        "86(2)=172",
        "$5 + $3.50 = $8.50",
        "20% of 50 = 10",
        "100% - 20% = 80%",
        "3/4 = 6/8 = 0.75",
        "1/3 * 12 apples = 4 apples",
        "3 hours * 60 minutes/hour = 180 minutes",
        "10 / 3 = 3.33",
        "20 / 3 = 6.67",
        "2 / 3 ≈ 0.7",
        "7 / 2 = 3 1/2",
        "4 / 3 = 1 and 1/3",
        "600 x 30 = 18 000",
        r"\(3 \times 4 = 12\)",
        r"\[\frac{1}{2} \times 10 = 5\]",
        r"2^{10} = 1024",
        "1,000 + 250 = 1,250",
        "total = 5 + 3 = 8",
        "60 / 3/4 = 80",
        "24 = 48 / 2",
        "-3 + 5 = 2",
        "5 + 5 = 10 - so he has ten",
        "$0.25 * 4 = 100 cents",
        "25 lbs. * 2 = 50 lbs.",
    ],
)
def test_holds(text: str) -> None:
    found = judged(text)
    assert found and all(found), find_steps(text)


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("48 / 2 = 25", "24"),
        ("<<48/2=23>>", "24"),
        ("3 × 4 = 13", "12"),
        ("5 * (2 + 3) = 13", "25"),
        ("$5 + $3.50 = $8", "8.5"),
        ("20% of 50 = 20", "10"),
        ("10 / 3 = 3.43", "3.33333"),
        ("10 / 3 = 3", "3.33333"),
        ("10 + 5 = 15 * 2 = 30", "15"),
        (r"3 \times 4 + 5 = 18", "17"),
        (r"\frac{1}{2} + \frac{1}{3} = \frac{2}{5}", "0.833333"),
        ("1,000 + 250 = 1,350", "1250"),
        ("5 apples + 3 apples = 9 apples", "8"),
        ("2^10 = 1000", "1024"),
    ],
)
def test_does_not_hold(text: str, true: str) -> None:
    wrong = [step for step in find_steps(text) if not step.holds]
    assert wrong and wrong[0].true == true, find_steps(text)


@pytest.mark.parametrize(
    "text",
    [
        "x + 5 = 8, so x = 3",
        "2x + 3 = 7",
        "70 = x + ((1/2)x - 5)",
        "Let n = 5 and f(n) = 10.",
        "He was born on 12/05/1990 and lived 1990-2020.",
        "Pages 10-20 and 30-40.",
        "Day 5 = 75 apples",
        "for i in range(3): a[i] = 4",
        "if a == 5 * 2: b != 3 + 4",
        "y <= 3 + 4 and z >= 2 * 2",
        "a = 5\nb = 6",
        "Call +1-555-0100 = office",
        "v2.3 = 1.0",
        "The ratio is 3:4 = three to four",
        "He ran 5 km - 3 of them fast. = fine",
        "1 hour + 30 minutes = 1.5 hours",
        "=" * 50,
        "1 + = 2",
        "(3 + 4 = 7",
    ],
)
def test_is_no_step_that_fails(text: str) -> None:
    assert all(judged(text)), find_steps(text)


@given(
    st.integers(0, 999), st.integers(1, 99), st.sampled_from("+-*/"), st.integers(1, 50),
    st.sampled_from(["{a} {o} {b} = {c}", "<<{a}{o}{b}={c}>>", "so {a} cats {o} {b} = {c} cats.",
                     r"\({a} {o} {b} = {c}\)", "${a} {o} ${b} = ${c}"]),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_right_steps_hold_and_changed_ones_do_not(
    a: int, b: int, sign: str, off: int, form: str
) -> None:
    a = a * b if sign == "/" else a
    right = {"+": a + b, "-": a - b, "*": a * b, "/": a // b}[sign]
    if right < 0:
        right, a, b = -right, b, a
    shown = form.replace("{o}", sign)
    assert judged(
        shown.replace("{a}", str(a)).replace("{b}", str(b)).replace("{c}", str(right))
    ) == [True]
    wrong = shown.replace("{a}", str(a)).replace("{b}", str(b)).replace("{c}", str(right + off))
    assert judged(wrong) == [False]


def test_a_long_text_is_scanned_once() -> None:
    assert len(find_steps("3 + 4 = 7. " * 2_000)) == 2_000
    assert find_steps("1 + " * 20_000 + "1 = 5") is not None
    assert find_steps("( " * 20_000 + "1 = 5") is not None
    assert find_steps("a " * 50_000 + "= 5") is not None
