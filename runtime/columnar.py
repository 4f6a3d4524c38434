"""Operators and functions over polars expressions, and the ways round what polars does otherwise.

What is said of polars here was seen with 2.1; tests hold each point.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

_FAR = 2**31 - 1
"""Beyond the end of every list."""


def literal(value: bool | int | float | str | None) -> pl.Expr:
    """A constant."""
    # Without its type polars would take the narrowest that holds an integer.
    match value:
        case None:
            return pl.lit(None)
        case bool():
            return pl.lit(value, dtype=pl.Boolean)
        case int():
            return pl.lit(value, dtype=pl.Int64)
        case float():
            return pl.lit(value, dtype=pl.Float64)
        case str():
            return pl.lit(value, dtype=pl.String)


def item_at(items: pl.Expr, index: pl.Expr) -> pl.Expr:
    """The item of a list, from its end below 0; null outside the list."""
    # Polars panics on an index that its own 32 bits do not hold, and a constant null for a list
    # gives it one row, whatever the height.
    item = items.list.get(index.clip(-_FAR, _FAR), null_on_oob=True)
    return pl.when(index.is_not_null()).then(item)


_ARITHMETIC: dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
}


def calculate(op: str, left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """Arithmetic; null for a division by zero."""
    if op not in ("/", "//", "%"):
        return _ARITHMETIC[op](left, right)
    # Polars divides a column by one number through its reciprocal: 7 / 10 is then not 0.7, and in
    # a frame of one row it is. So the divisor is made a column.
    column = right + left.is_null().cast(pl.Int64) * 0
    # By zero polars gives infinities and NaN, and null for `//` and `%` of integers alone.
    return pl.when(right != 0).then(_ARITHMETIC[op](left, column))


_COMPARE: dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "==": pl.Expr.eq,
    "!=": pl.Expr.ne,
    "<": pl.Expr.lt,
    "<=": pl.Expr.le,
    ">": pl.Expr.gt,
    ">=": pl.Expr.ge,
}
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def compare(op: str, a: pl.Expr, b: pl.Expr) -> pl.Expr:
    """A comparison; null if either side is."""
    # With a constant on the left and on the right a column that polars knows to be of one value
    # (`when` with one outcome), the result has one row, whatever the height.
    # Python's operators would swap them again where the right one is a `when`.
    if not a.meta.root_names():
        a, b, op = b, a, _MIRRORED[op]
    return _COMPARE[op](a, b)


def _count(found: pl.Expr) -> pl.Expr:
    return found.cast(pl.Int64)


def _extreme(beats: str) -> Callable[..., pl.Expr]:
    # Polars' own `max_horizontal` skips nulls and NaN.
    def lowered(first: pl.Expr, *rest: pl.Expr) -> pl.Expr:
        best = first
        for other in rest:
            known = best.is_not_null() & other.is_not_null()
            best = pl.when(known).then(
                pl.when(compare(beats, other, best)).then(other).otherwise(best)
            )
        return best

    return lowered


def _round(x: pl.Expr, digits: pl.Expr | None = None) -> pl.Expr:
    places = 0 if digits is None else int(pl.select(digits).item())
    return x.round(places, mode="half_to_even")


def _verdicts(items: pl.Expr, pattern: pl.Expr | None) -> pl.Expr:
    if pattern is None:
        return items
    return items.list.eval(pl.element().str.contains(pattern, literal=False, strict=True))


def _trues(verdicts: pl.Expr) -> pl.Expr:
    return _count(verdicts.list.sum())


def _share(items: pl.Expr, pattern: pl.Expr | None = None) -> pl.Expr:
    verdicts = _verdicts(items, pattern)
    return calculate("/", _trues(verdicts), _count(verdicts.list.len()))


def _ordered(items: pl.Expr) -> pl.Expr:
    # Polars' own `list.min` and `list.max` pass over NaN.
    return items.list.drop_nulls().list.sort()


def _pieces(text: pl.Expr, separator: pl.Expr | None = None) -> pl.Expr:
    return text.str.extract_all(r"\S+") if separator is None else text.str.split(separator)


LINES = r"[^\n]*\S"
"""A line that is not blank, without the white space at its end."""

OF_LISTS: dict[str, Callable[..., pl.Expr]] = {
    "len": lambda x: _count(x.list.len()),
    "any": lambda x, pattern=None: _verdicts(x, pattern).list.any(ignore_nulls=False),
    "all": lambda x, pattern=None: _verdicts(x, pattern).list.all(ignore_nulls=False),
    "count": lambda x, pattern=None: _trues(_verdicts(x, pattern)),
    "frac": _share,
    "min": lambda x: _ordered(x).list.first(),
    "max": lambda x: _ordered(x).list.last(),
}
"""What functions compute of a list."""

# All others but `extract`, `hash01`, `choose` and `tokens`, which need more than their arguments.
CALLS: dict[str, Callable[..., pl.Expr]] = {
    "len": lambda x: _count(x.str.len_chars()),
    "chars": lambda x: _count(x.str.len_chars()),
    "words": lambda x: _count(x.str.count_matches(r"\S+")),
    # From the first character that is not white space to the end of its line.
    "lines": lambda x: _count(x.str.count_matches(r"\S[^\n]*")),
    "lower": lambda x: x.str.to_lowercase(),
    "upper": lambda x: x.str.to_uppercase(),
    "strip": lambda x: x.str.strip_chars(),
    "contains": lambda x, part: x.str.contains(part, literal=True),
    "startswith": lambda x, prefix: x.str.starts_with(prefix),
    "endswith": lambda x, suffix: x.str.ends_with(suffix),
    "matches": lambda x, pattern: x.str.contains(pattern, literal=False, strict=True),
    "split": _pieces,
    "count": lambda x, pattern: _count(x.str.count_matches(pattern)),
    "frac": lambda x, pattern: _share(x.str.extract_all(LINES), pattern),
    "coalesce": lambda *xs: pl.coalesce(*xs),
    "abs": lambda x: x.abs(),
    "round": _round,
    "min": _extreme("<"),
    "max": _extreme(">"),
    "int": lambda x: x.cast(pl.Int64, strict=False),
    "float": lambda x: x.cast(pl.Float64, strict=False),
    "str": lambda x: x.cast(pl.String),
}
