"""Parquet: only the columns that the recipe names are read, row group by row group."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from .footers import NoFooterError, read_footer
from .spec import SourceSpec
from .stored import Stored
from .stored_pool import Inside

FOOTERS = 8 << 20
"""Bytes of footers that sizes of columns are read from, which takes a second or two."""


def _scan(path: Path) -> pl.LazyFrame:
    return pl.scan_parquet(path, glob=False, hive_partitioning=False, low_memory=True)


def _look(spec: SourceSpec, files: Sequence[Path]) -> Inside | None:
    """Rows of files, and the bytes of their texts; from a part of the files where they are many."""
    rows: list[int] = []
    left, text, told = FOOTERS, 0, 0
    try:
        for path in files:
            footer = read_footer(path, longest=left)
            rows.append(footer.rows)
            if spec.text in footer.sizes:
                left -= footer.length
                text += footer.sizes[spec.text]
                told += footer.rows
    except NoFooterError:
        return None
    return Inside(rows, text if told and told == sum(rows) else None)


_stored = Stored("Parquet", _scan, _look)
kinds, read, pools = _stored.kinds, _stored.read, _stored.pools
