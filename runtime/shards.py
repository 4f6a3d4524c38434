"""Shards of the data set: files of about the same size, the same bytes for the same rows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from .schemas import fitted
from .splits import WHOLE

ROW_GROUP = 16_384


@dataclass(slots=True)
class ShardWriter:
    """Writes frames to `train-00000.parquet`, `train-00001.parquet` and so on, split by split.

    Attributes:
        folder: Where they go.
        format: `parquet` or `jsonl`.
        size: Bytes of values a shard, about, before packing; a row is never cut.
        schema: Columns of the output, in order, with types that are the same in every shard.
        split: Whose rows they are; how the files' names begin.
    """

    folder: Path
    format: str
    size: int
    schema: Mapping[str, pl.DataType]
    split: str = WHOLE
    files: list[dict[str, Any]] = field(default_factory=list)
    _waiting: list[pl.DataFrame] = field(default_factory=list)
    _bytes: int = 0

    def write(self, frame: pl.DataFrame) -> None:
        """Add rows. Raises `OSError` if a full shard cannot be written."""
        frame = fitted(frame, self.schema)
        ends = frame.select(weights(self.schema).cum_sum().alias("ends"))["ends"]
        start = 0
        while start < frame.height:
            before = int(ends[start - 1]) if start else 0
            stop = int(ends.search_sorted(before + self.size - self._bytes, "right"))
            if stop <= start and not self._waiting:
                stop = start + 1
            if stop > start:
                self._waiting.append(frame[start:stop])
                self._bytes += int(ends[stop - 1]) - before
                start = stop
            if start < frame.height:
                self.flush()

    def flush(self) -> None:
        """Write the rows that wait as a shard, durably. Raises `OSError`."""
        if not self._waiting:
            return
        frame = pl.concat(self._waiting).rechunk()
        self._waiting, self._bytes = [], 0
        path = self.folder / f"{self.split}-{len(self.files):05d}.{self.format}"
        write_frame(frame, path, durable=True)
        size = path.stat().st_size
        self.files.append(
            {"file": path.name, "split": self.split, "rows": frame.height, "bytes": size}
        )

    def close(self) -> list[dict[str, Any]]:
        """Write what is left; an empty data set has one empty shard, so that it can be read.

        Returns:
            File name, rows and bytes of each shard.
        """
        if not self._waiting and not self.files:
            self._waiting = [pl.DataFrame(schema=dict(self.schema))]
        self.flush()
        return self.files


def write_frame(frame: pl.DataFrame, path: Path, *, durable: bool = False) -> None:
    """Write a frame as its file's suffix says.

    Raises:
        OSError: It cannot be written. Polars, left to write the file, has many words for that.
    """
    packed = BytesIO()
    if path.suffix == ".parquet":
        frame.write_parquet(packed, compression="zstd", row_group_size=ROW_GROUP)
    else:
        frame.write_ndjson(packed)
    with path.open("wb") as out:
        out.write(packed.getbuffer())
        if durable:
            out.flush()
            os.fsync(out.fileno())


def weights(schema: Mapping[str, pl.DataType]) -> pl.Expr:
    """Bytes of each row: those of its text, and eight for any other value."""
    text = [pl.col(n).str.len_bytes().fill_null(0) for n, k in schema.items() if k == pl.String]
    others = pl.repeat(8 * (len(schema) - len(text)), pl.len())
    return pl.sum_horizontal(*text, others).cast(pl.Int64)
