"""A check written as an expression over the row."""

from __future__ import annotations

from typing import Any

from ...compiler.expr import columns_read, parse_expr, show_expr, token_counts
from ...compiler.registry import Case, Expression, check
from ..verdict import Check, Row, Verdict

_SHOWN = 80
"""Characters of a value that evidence shows."""


@check(
    version=1,
    cases=(
        Case({"pass": "words(text) <= 3"}, {"text": "three short words"}, True),
        Case({"pass": "words(text) <= 3"}, {"text": "one more than three"}, "expr"),
        Case(
            {"pass": "chars(text) < chars(input.text)"}, {"text": "ab", "input.text": "abc"}, True
        ),
        Case({"pass": "score > 3 and contains(text, 'a')"}, {"text": "a", "score": None}, "expr"),
        Case({"pass": "score is null or score > 3"}, {"score": None}, True),
    ),
)
def expr(pass_: Expression) -> Check:
    """Pass the rows for which an expression is true; false and null fail.

    Args:
        pass_: What must be true of a row.
    """
    import polars as pl

    from ..frames import Context, lower

    misfits = (
        pl.exceptions.ComputeError,
        pl.exceptions.InvalidOperationError,
        pl.exceptions.SchemaError,
    )
    parsed, problems = parse_expr(pass_)
    if parsed is None:
        raise ValueError(f"not an expression: {pass_!r}: {problems[0].message}")
    read = {show_expr(call) for call in token_counts(parsed)}
    plans: dict[tuple[tuple[str, pl.DataType], ...], pl.Expr] = {}

    def judge(row: Row) -> Verdict:
        names = sorted(name for name in read | columns_read(parsed, row) if name in row)
        evidence = {name: _short(row[name]) for name in names}
        frame = pl.DataFrame([pl.Series(name, [row[name]], strict=False) for name in names])
        schema = tuple(frame.schema.items())
        try:
            if schema not in plans:
                plans[schema] = lower(parsed, Context(seed=0, site="", columns=frame.schema))
            passed = frame.select(plans[schema]).item()
        except misfits as fault:
            # A value of another type than the column was taken to have is the row's fault.
            return Verdict(False, "expr", {**evidence, "problem": _short(str(fault))})
        return Verdict(True) if passed is True else Verdict(False, "expr", evidence)

    return judge


def _short(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
