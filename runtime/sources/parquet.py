"""Parquet: only the columns that the recipe names are read, row group by row group."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from .stored import Stored


def _scan(path: Path) -> pl.LazyFrame:
    return pl.scan_parquet(path, glob=False, hive_partitioning=False, low_memory=True)


_stored = Stored("Parquet", _scan)
kinds, read, draw = _stored.kinds, _stored.read, _stored.draw
