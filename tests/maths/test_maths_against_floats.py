"""Exact verdicts on random expressions, held to what floating point says of the same tree."""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from mashbill.runtime.maths.canonical import canonical
from mashbill.runtime.maths.comparing import compare
from mashbill.runtime.maths.forms import Quantity
from mashbill.runtime.maths.reading import read

X, Y = 1.37, 0.61
"""What the variables stand for."""


@dataclass(frozen=True, slots=True)
class Tree:
    latex: str
    value: complex
    loose: bool = False
    """Whether it needs brackets as a factor."""

    @property
    def factor(self) -> str:
        return rf"\left({self.latex}\right)" if self.loose else self.latex


CONSTANTS = (
    Tree("x", X),
    Tree("y", Y),
    Tree(r"\pi", math.pi),
    Tree("i", 1j),
    Tree("e", math.e),
    Tree("0.25", 0.25),
    Tree(r"\frac{2}{3}", 2 / 3),
    Tree(r"\sqrt{2}", 2**0.5),
    Tree(r"\sqrt{12}", 12**0.5),
    Tree(r"\sqrt[3]{5}", 5 ** (1 / 3)),
    Tree(r"\ln 6", math.log(6)),
    Tree(r"2\frac{1}{3}", 7 / 3, True),
    Tree(r"\cos 30^\circ", math.cos(math.pi / 6), True),
    Tree(r"\log_2 12", math.log2(12), True),
    Tree("3!", 6),
    Tree(r"\binom{5}{2}", 10),
)
LEAVES = st.integers(0, 20).map(lambda n: Tree(str(n), n)) | st.sampled_from(CONSTANTS)


def _sum(a: Tree, b: Tree) -> Tree:
    return Tree(f"{a.latex} + {b.factor}", a.value + b.value, True)


def _difference(a: Tree, b: Tree) -> Tree:
    return Tree(f"{a.latex} - {b.factor}", a.value - b.value, True)


def _product(a: Tree, b: Tree) -> Tree:
    return Tree(rf"{a.factor} \cdot {b.factor}", a.value * b.value, True)


def _quotient(a: Tree, b: Tree) -> Tree:
    value = a.value / b.value if abs(b.value) > 1e-9 else math.nan
    return Tree(rf"\frac{{{a.latex}}}{{{b.latex}}}", value)


def _grown(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    return st.one_of(
        *(st.builds(grow, inner, inner) for grow in (_sum, _difference, _product, _quotient)),
        inner.map(lambda t: Tree(rf"\left({t.latex}\right)^2", t.value**2, True)),
        inner.map(lambda t: Tree(f"-{t.factor}", -t.value, True)),
        st.integers(0, 60).map(lambda n: Tree(rf"\sqrt{{{n}}}", math.sqrt(n))),
    )


TREES = st.recursive(LEAVES, _grown, max_leaves=6)


def _near(a: complex, b: complex) -> bool:
    return cmath.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)


@given(TREES, TREES)
@settings(max_examples=400, deadline=None)
def test_equal_means_equal_and_different_means_different(a: Tree, b: Tree) -> None:
    if not (cmath.isfinite(a.value) and cmath.isfinite(b.value)):
        return
    verdict = compare(read(a.latex), read(b.latex))
    if verdict is True:
        assert _near(a.value, b.value), (a.latex, b.latex)
    elif _near(a.value, b.value):
        variables = any(name in a.latex + b.latex for name in "xy")
        assert verdict is not False or variables, (a.latex, b.latex)


@given(TREES, st.integers(2, 9))
@settings(max_examples=300, deadline=None)
def test_what_adds_nothing_changes_nothing(tree: Tree, n: int) -> None:
    if not cmath.isfinite(tree.value):
        return
    same = rf"\frac{{{n} \cdot \left({tree.latex}\right) + {n}}}{{{n}}} - 1"
    read_tree = read(tree.latex)
    if isinstance(read_tree, Quantity):
        assert compare(read_tree, read(same)) is True, tree.latex
        assert canonical(tree.latex) == canonical(same)
        assert compare(read_tree, read(rf"{same} + \frac{{1}}{{{10**n}}}")) is not True
