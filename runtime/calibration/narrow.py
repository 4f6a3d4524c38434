"""Of labelled rows those that an expression of the recipe's language is true of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...compiler.expr import columns_read, infer_type, parse_expr
from ...compiler.types import Type
from ..sources.columns import common_type, polars_type
from .labelled import CalibrationError, columns_of


def rows_where(rows: Sequence[Mapping[str, Any]], where: str, file: str) -> list[int]:
    """The places, from 0, of the rows for which an expression is true.

    Raises:
        CalibrationError: It is no condition on these columns, or true of no row.
    """
    import polars as pl

    from ..expressions import lowered, truth

    columns: dict[str, Type] = {
        name: common_type(row.get(name) for row in rows) for name in columns_of(rows)
    }
    expr, problems = parse_expr(where)
    kind: Type | None = None
    if expr is not None:
        # A condition on a column that may be null is not true where it is.
        kind, problems = infer_type(expr, {n: k.maybe(False) for n, k in columns.items()})
    if expr is None or problems:
        raise CalibrationError(f"--where {where}: {problems[0].message}")
    if kind is None or kind.kind not in ("bool", "any"):
        raise CalibrationError(f"--where {where}: a condition is true or false, this is {kind}")
    read = sorted(columns_read(expr, columns))
    frame = pl.DataFrame(
        [
            pl.Series(
                name, [row.get(name) for row in rows], polars_type(columns[name]), strict=False
            )
            for name in read
        ]
        or [pl.Series("", [None] * len(rows))]
    )
    try:
        mask = truth(frame, lowered(where, 0, "where")(frame))
    except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
        raise CalibrationError(f"--where {where}: {str(error).splitlines()[0]}") from None
    found = [i for i, so in enumerate(mask) if so]
    if not found:
        raise CalibrationError(f"--where {where}: true of no row of {file}")
    return found
