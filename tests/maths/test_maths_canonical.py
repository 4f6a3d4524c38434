"""One text for equal answers."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mashbill.runtime.maths.canonical import canonical
from mashbill.runtime.maths.comparing import compare
from mashbill.runtime.maths.reading import read

from .table import pairs


@pytest.mark.parametrize(
    "same",
    [
        ("1/2", r"\frac{1}{2}", "0.5", r"\dfrac12", "x = 0.5", r"\boxed{\frac{2}{4}}", "½"),
        ("18", "$18", "18 dollars", "18.00", r"\$18.", "#18".removeprefix("#"), "eighteen"),
        (r"2\sqrt{2}", r"\sqrt{8}", "2√2", r"\frac{4}{\sqrt{2}}"),
        ("1, 2", "2, 1", r"\{1, 2\}", "x = 1 or x = 2"),
        ("(3,-1)", "x=3, y=-1", r"\left(3, -1\right)"),
        ("(x+1)^2", "x^2 + 2x + 1", "1+2x+x^2"),
        (r"\frac{1}{x}+\frac{1}{y}", r"\frac{x+y}{xy}"),
        (r"\frac{1}{x+1}", r"\frac{x-1}{x^2-1}"),
        ("(B)", "B", "Option B", "(B) 42"),
        ("3:4", "6:8", "3 to 4"),
        ("x > 4", r"(4, \infty)", "4 < x"),
        ("12 cm", "12", r"12\text{ cm}"),
        ("25%", r"25\%", "25 percent"),
        ("Yes", "yes.", r"\text{yes}", "True"),
        ("3:30 PM", "15:30", "3:30 p.m."),
    ],
)
def test_ways_of_writing_are_one(same: tuple[str, ...]) -> None:
    assert len({canonical(text) for text in same}) == 1, {t: canonical(t) for t in same}


def test_different_answers_differ() -> None:
    for pair in pairs():
        verdict = compare(read(pair.gold), read(pair.got))
        if verdict is False and pair.kind in ("radicals", "fractions", "expressions", "sets"):
            assert canonical(pair.gold) != canonical(pair.got), pair.id


def test_what_exact_arithmetic_finds_equal_is_one() -> None:
    # Units and names are dropped, brackets are not: what is equal by them may not be one.
    converted = {"units", "money", "percent", "times", "choices", "constants", "second"}
    converted |= {"equations", "tuples"}
    for pair in pairs():
        if compare(read(pair.gold), read(pair.got)) and pair.kind not in converted:
            assert canonical(pair.gold) == canonical(pair.got), pair.id


@given(
    st.fractions(min_value=-(10**6), max_value=10**6, max_denominator=10**4),
    st.sampled_from(["plain", "latex", "scaled", "assigned", "spaced"]),
)
@settings(max_examples=150, deadline=None)
def test_fractions_are_one_however_written(value: Fraction, way: str) -> None:
    top, bottom = value.numerator, value.denominator
    written = {
        "plain": f"{top}/{bottom}",
        "latex": rf"\frac{{{top}}}{{{bottom}}}",
        "scaled": rf"\dfrac{{{top * 6}}}{{{bottom * 6}}}",
        "assigned": f"x = {top}/{bottom}",
        "spaced": f" ${top} / {bottom}$. ",
    }[way]
    assert canonical(written) == str(value)


@given(st.text(max_size=80))
@settings(max_examples=300, deadline=None)
def test_any_text_has_one(text: str) -> None:
    assert isinstance(canonical(text), str)
