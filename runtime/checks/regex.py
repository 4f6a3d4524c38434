"""The regex check."""

from __future__ import annotations

from ...compiler.registry import Case, Column, Pattern, check
from ..verdict import Check, Row, Verdict

_TEXT = Column("text")


@check(
    version=1,
    needs=("forbid", "require"),
    packages=("polars",),
    cases=(
        Case({"forbid": "(?i)^sure[,!]"}, {"text": "The sea is wide."}, True),
        Case({"forbid": "(?i)^sure[,!]"}, {"text": "Sure, here it is."}, "forbidden"),
        Case({"require": r"\d{4}"}, {"text": "It was 1903."}, True),
        Case({"require": r"\d{4}"}, {"text": "Long ago."}, "required"),
        Case({"forbid": "x", "require": "y"}, {"text": "xy"}, "forbidden"),
    ),
)
def regex(
    got: Column = _TEXT,
    forbid: Pattern | None = None,
    require: Pattern | None = None,
) -> Check:
    """Forbid or require a pattern anywhere in the text.

    Patterns are those of polars (Rust's `regex`): no look-around, no back-references, and time
    linear in the text whatever the pattern.

    Args:
        got: The text to judge.
        forbid: A pattern that must not be found.
        require: A pattern that must be found.

    Raises:
        ValueError: Without a pattern, or for one that polars cannot read.
    """
    import polars as pl

    patterns = {"forbid": forbid, "require": require}
    given = {name: pattern for name, pattern in patterns.items() if pattern is not None}
    if not given:
        raise ValueError("`regex` needs `forbid:` or `require:`")

    def found(pattern: str, text: str) -> str | None:
        match = pl.Series([text], dtype=pl.String).str.extract(pattern, 0)[0]
        return None if match is None else str(match)

    for name, pattern in given.items():
        try:
            found(pattern, "")
        except pl.exceptions.PolarsError as error:
            raise ValueError(f"`{name}: {pattern}` is no pattern that polars can read") from error

    def judge(row: Row) -> Verdict:
        text = str(row[got] or "")
        if forbid is not None and (match := found(forbid, text)) is not None:
            return Verdict(False, "forbidden", {"found": match[:200]})
        if require is not None and found(require, text) is None:
            return Verdict(False, "required", {"pattern": require})
        return Verdict(True)

    return judge
