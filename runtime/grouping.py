"""Rows whose prompts begin alike, one after the other."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

FEW = 2
"""Rows that a value must be shared by, on average, for grouping to be of use."""


def grouped(frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """A frame's rows in groups of equal values of the columns, each group in its old order.

    A frame in which hardly two rows share their values stays as it is, and so does one with a list
    or a struct among them.
    """
    if not columns or frame.height < FEW:
        return frame
    keys = frame.select(columns)
    if any(kind.is_nested() for kind in keys.dtypes) or keys.n_unique() * FEW > frame.height:
        return frame
    return frame.sort(columns, maintain_order=True, nulls_last=True)
