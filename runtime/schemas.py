"""Types of columns where frames of several steps meet."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

Schema = Mapping[str, pl.DataType]


def join_schemas(first: Schema, second: Schema) -> dict[str, pl.DataType]:
    """All columns of both; one that both have gets the type that holds the values of either.

    Whole numbers and floats meet as floats, numbers and text as text.

    Raises:
        polars.exceptions.PolarsError: There is no such type.
    """
    if all(first.get(name) == kind for name, kind in second.items()):
        return dict(first)
    frames = [pl.DataFrame(schema=dict(first)), pl.DataFrame(schema=dict(second))]
    return dict(pl.concat(frames, how="diagonal_relaxed").schema)


def fitted(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """A frame with exactly these columns, in this order; those that it lacks are null."""
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in schema.items()
    )
