"""The check of a final answer."""

from __future__ import annotations

from typing import Literal

from ...compiler.registry import Case, Column, Ratio, check
from ..verdict import Check, Row, Verdict

_TEXT = Column("text")
_GOLD = Column("gold")
_EXACTLY = Ratio(0.0)
_SHOWN = 200


def _case(gold: object, text: object, expect: bool | str, **params: object) -> Case:
    return Case(params, {"text": text, "gold": gold}, expect)


@check(
    version=1,
    packages=("math-verify", "sympy", "latex2sympy2_extended"),
    cases=(
        _case("72", "She sold 48 + 24 = 72 clips.\n#### 72", True),
        _case("72", r"So the total is $\boxed{72}$.", True),
        _case("72", "The answer is 72 clips.", True),
        _case("48/2 = 24, then 24 + 48 = 72.\n#### 72", "Altogether she sold 72.", True),
        _case(145.0, "Each group has 145 bananas.", True),
        _case(r"\frac{3}{4}", r"\boxed{0.75}", True),
        _case("2 1/3", r"\boxed{\frac{7}{3}}", True),
        _case(r"2\sqrt{2}", r"\boxed{\sqrt{8}}", True),
        _case("(2,7)", r"\boxed{2 < x < 7}", True),
        _case("1, 2", r"\boxed{\{2, 1\}}", True),
        _case("5 m", r"\boxed{500\text{ cm}}", True),
        _case(r"\sin 2x", r"\boxed{2\sin x\cos x}", True),
        _case("72", r"First \boxed{70}, no: \boxed{72}", True),
        _case("72", r"\boxed{71}", "wrong"),
        _case(r"\frac{1}{3}", r"\boxed{0.33}", "wrong"),
        _case(r"\frac{1}{3}", r"\boxed{0.33}", True, round=True),
        _case(r"\pi", "3.14", True, tolerance=0.001),
        _case("5 m", r"\boxed{5}", True),
        _case("5 m", r"\boxed{5}", "wrong", units="require"),
        _case("5 m", r"\boxed{5\text{ km}}", "wrong"),
        _case("3, 6, 9", "9, 6, 3", "wrong", order=True),
        _case("7", r"\boxed{9^{9^{9}}}", "unknown"),
        _case("72", "I do not know how to find out how many clips she sold.", "no_answer"),
        _case("72", "", "no_answer"),
        _case(None, "72", "no_gold"),
    ),
)
def math_equal(
    got: Column = _TEXT,
    want: Column = _GOLD,
    units: Literal["ignore", "require"] = "ignore",
    tolerance: Ratio = _EXACTLY,
    round: bool = False,
    order: bool = False,
) -> Check:
    r"""Hold a final answer to the wanted one, by value rather than by text.

    Both columns may hold a whole solution: the answer is taken from the last `\boxed{…}`, `####`,
    "the answer is", formula or number. Most pairs are decided by exact arithmetic; the rest goes to
    math-verify and SymPy (`pip install "mashbill[math]"`) for at most five seconds. What nothing
    can tell is rejected as `unknown`. How it does on labelled pairs: `runtime/maths/README.md`.

    Args:
        got: The answer to judge.
        want: The wanted answer.
        units: `ignore` accepts a unit or a `%` that only one side has; `require` does not. Units on
            both sides are always compared, and converted where they measure the same.
        tolerance: Largest relative difference of two numbers. By default values are exact: 0.33 is
            not 1/3.
        round: Accept a decimal that is the wanted number rounded to as many decimals as it has.
        order: Whether a list without brackets has an order. Tuples always have one, sets never.
    """
    from ..maths.comparing import Rules
    from ..maths.equality import equal
    from ..maths.extracting import extract

    rules = Rules(units, float(tolerance), round, order)

    def judge(row: Row) -> Verdict:
        wanted, given = extract(_text(row[want])), extract(_text(row[got]))
        if wanted is None:
            return Verdict(False, "no_gold")
        if given is None:
            return Verdict(False, "no_answer", {"want": wanted.answer[:_SHOWN]})
        seen = {
            "want": wanted.answer[:_SHOWN],
            "got": given.answer[:_SHOWN],
            "found": given.how,
        }
        if given.how == "boxed" and given.many > 1:
            seen["boxes"] = str(given.many)
        found = equal(wanted.answer, given.answer, rules)
        seen["route"] = found.route
        if found.equal:
            return Verdict(True, evidence=seen)
        if found.why:
            return Verdict(False, "unknown", {**seen, "why": found.why})
        return Verdict(False, "wrong", seen)

    return judge


def _text(value: object) -> str:
    """A value as an answer is written: a whole float without its `.0`."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
