"""Junk, traps and giants: no crash, no hang, and nothing called equal that is not."""

from __future__ import annotations

import subprocess
import sys
import threading
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mashbill.runtime.maths import symbolic
from mashbill.runtime.maths.comparing import compare
from mashbill.runtime.maths.equality import equal
from mashbill.runtime.maths.extracting import extract
from mashbill.runtime.maths.reading import read
from mashbill.runtime.maths.steps import find_steps
from mashbill.runtime.maths.symbolic import equal_by_sympy, refused

_WRITTEN = (
    r"\frac \sqrt \left \right \begin{pmatrix} \end{pmatrix} \\ & { } ( ) [ ] | ^ _ ! % $ , . : ; "
    r"= < > \le \cup \pm \infty \pi \text{ } \boxed{ #### 1 2 37 0.5 x y i e sin log + - * / \cdot "
    r"\times ½ √ ² ° ∞ cm dollars and or of to half << >> 10^ 9^9 \overline{3} \circ"
)
PIECES = st.sampled_from(_WRITTEN.split())
JUNK = st.lists(PIECES, max_size=25).map("".join) | st.lists(PIECES, max_size=25).map(" ".join)

GIANTS = [
    "9^{9^{9^{9}}}", "10^{10^{10}}", "99999999999!", "(10^9)!", "1000000!", "((10!)!)!",
    r"\binom{10^9}{5}", r"\binom{100000000}{50000000}", "7" * 5_000, "0." + "3" * 5_000, "(" * 900,
    "{" * 900 + "8" + "}" * 900, r"\frac{1}{" * 60 + "2" + "}" * 60, "x^" * 200 + "2",
    "-" * 500 + "1",
    r"\sqrt{" * 50 + "2" + "}" * 50, r"\sqrt[999999999]{2}", "2^{999999999}", "1e999999999",
    "(a+b+c+d+e+f+g+h)^{30}", "*".join(["(x+y+z+1)"] * 40), ",".join("1" * 500), "1/" * 300 + "1",
    "2^{0.123456789123}", r"\sum_{k=1}^{10^{12}} \frac{1}{k^3}",
    r"\prod_{k=1}^{100000} k", "!" * 50,
    "1:" * 300 + "1", r"\pm" * 30 + "1", "x=" * 200 + "1",
    r"\begin{pmatrix}" + "1&" * 500 + r"\end{pmatrix}",
    "one " * 400, "sin" * 100 + "x", "a" * 1_999, "1 " * 999, r"\text{" * 300, "=" * 400, "^" * 400,
]  # fmt: skip


@pytest.mark.parametrize("text", GIANTS, ids=lambda t: t[:24])
def test_a_giant_is_not_equal_to_seven(text: str) -> None:
    assert not equal("7", text, seconds=1.0).equal
    assert not equal(text, "7", seconds=1.0).equal


@given(JUNK, JUNK)
@settings(max_examples=300, deadline=None)
def test_junk_is_read_and_compared_the_same_both_ways(a: str, b: str) -> None:
    forth, back = compare(read(a), read(b)), compare(read(b), read(a))
    assert forth == back
    assert compare(read(a), read(a)) is not False


@given(JUNK | st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_junk_is_searched(text: str) -> None:
    extract(text)
    find_steps(text)
    find_steps(f"{text} = {text}")


@given(
    st.integers(-50, 50), st.integers(1, 30), st.integers(-50, 50), st.integers(1, 30),
    st.integers(0, 12),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_sums_with_roots_are_equal_exactly_if_their_parts_are(
    a: int, b: int, c: int, d: int, n: int
) -> None:
    one = rf"\frac{{{a}}}{{{b}}} + \frac{{{c}}}{{{d}}}\sqrt{{{n}}}"
    other = rf"\frac{{{a + 1}}}{{{b}}} + \frac{{{c}}}{{{d}}}\sqrt{{{n}}}"
    common = rf"\frac{{{a * d} + {c * b}\sqrt{{{n}}}}}{{{b * d}}}".replace("+ -", "- ")
    assert compare(read(one), read(common)) is True
    assert compare(read(one), read(other)) is False


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-999, max_value=999))
@settings(max_examples=100, deadline=None)
def test_a_decimal_equals_its_fraction_and_not_its_neighbour(value: object) -> None:
    exact = Fraction(str(value))
    near = exact + Fraction(1, 10**9)
    assert compare(read(f"{value:f}"), read(f"{exact.numerator}/{exact.denominator}")) is True
    assert compare(read(f"{value:f}"), read(f"{near.numerator}/{near.denominator}")) is False


# -- SymPy


@pytest.mark.parametrize(
    "text",
    [
        "I think 7",
        r"\text{seven}",
        "2^{3^{4}}",
        "x^{9999}",
        "100000!",
        "(n)!^{9}",
        "f'(x)",
        "1" * 99,
    ],
)
def test_sympy_is_not_asked(text: str) -> None:
    assert refused(text)


@pytest.mark.parametrize("text", [r"\sin^2 x + \cos^2 x", r"\int_0^1 x^2 dx", r"\frac{n!}{(n-1)!}"])
def test_sympy_is_asked(text: str) -> None:
    assert not refused(text)


def test_sympy_does_not_round() -> None:
    for near in ("0.3333333333", "0.33333333333333333333"):
        assert equal_by_sympy(r"\frac{1}{3}", near)[0] is not True
    assert equal_by_sympy("0", "0.00000000001")[0] is not True


def test_a_hang_ends_and_the_next_pair_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: object) -> tuple[bool | None, str]:
        while True:
            try:
                sum(range(1_000))
            except Exception:  # what SymPy does around its simplifiers
                continue

    with monkeypatch.context() as patch:
        patch.setattr(symbolic, "_verified", hang)
        found, why = equal_by_sympy(r"\sin x", r"\cos x", 0.1)
    assert (found, why) == (None, "SymPy computed for longer than 0.1 seconds")
    assert equal_by_sympy(r"\sin 2x", r"2\sin x\cos x") == (True, "")


def test_another_thread_is_told() -> None:
    found: list[tuple[bool | None, str]] = []
    thread = threading.Thread(target=lambda: found.append(equal_by_sympy("x", "x + 0")))
    thread.start()
    thread.join()
    assert found[0][0] is None and "main thread" in found[0][1]


def test_without_math_verify_exact_pairs_are_judged_and_others_say_what_to_type() -> None:
    code = """
import sys
sys.modules["math_verify"] = None
from mashbill.runtime.maths.equality import equal
from mashbill.runtime.maths.symbolic import MissingError
assert equal("0.5", r"\\frac{1}{2}").equal
assert not equal("0.5", "0.6").equal
try:
    equal(r"\\sin 2x", r"2\\sin x\\cos x")
except MissingError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 'pip install "mashbill[math]"' in done.stdout
