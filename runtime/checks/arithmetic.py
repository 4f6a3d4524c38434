"""The check of the steps of a calculation."""

from __future__ import annotations

from ...compiler.registry import Case, Column, check
from ..verdict import Check, Row, Verdict

_REASONING = Column("reasoning")
_SHOWN = 120


def _case(text: str, expect: bool | str, **params: object) -> Case:
    return Case(params, {"reasoning": text}, expect)


@check(
    version=1,
    cases=(
        _case("Natalia sold 48/2 = <<48/2=24>>24 clips in May, 48 + 24 = 72 in all.", True),
        _case("Natalia sold 48/2 = 24 clips in May, and 48 + 24 = 74 in all.", "arithmetic"),
        _case("In May she sold 48/2 = <<48/2=25>>24 clips.", "arithmetic"),
        _case(r"\[ 3 \times 4 + 5 = 12 + 5 = 17 \]", True),
        _case(r"\[ 3 \times 4 + 5 = 12 + 5 = 18 \]", "arithmetic"),
        _case("5 apples * $1.20 = $6.00, so with tax 6 + 6 * 10% = 6.6", True),
        _case("10 / 3 = 3.33 and 2/3 ≈ 1", True),
        _case("10 / 3 = 3.43", "arithmetic"),
        _case("Since x + 5 = 8, x = 3; the pages 10-20 of 2019-2020 say f(2) = 4.", True),
        _case("Nothing to compute here.", True),
        _case("Nothing to compute here.", "too_few_steps", min=1),
    ),
)
def arithmetic(got: Column = _REASONING, min: int = 0) -> Check:
    """Hold every `a op b = c` of a calculation to be true.

    Steps are chains of `=` between numbers, with units, prices and per cents among them, GSM8K's
    calculator marks, and LaTeX; equations with unknowns, dates, ranges and code are none. A decimal
    may be rounded, or cut, at its last digit. A text without steps passes.

    Args:
        got: The text to judge.
        min: Fewest steps that it must have.
    """
    from ..maths.steps import find_steps

    def judge(row: Row) -> Verdict:
        steps = find_steps(str(row[got] or ""))
        wrong = [step for step in steps if not step.holds]
        if wrong:
            first = wrong[0]
            return Verdict(
                False,
                "arithmetic",
                {
                    "step": first.shown[:_SHOWN],
                    "true": first.true,
                    "wrong": len(wrong),
                    "steps": len(steps),
                },
            )
        if len(steps) < min:
            return Verdict(False, "too_few_steps", {"steps": len(steps), "min": min})
        return Verdict(True, evidence={"steps": len(steps)})

    return judge
