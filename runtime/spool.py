"""Rows on their way out of the graph, kept on disk in buckets until their order is known.

Rows arrive in the order in which they finish. A bucket is a range of the sorting key, so buckets
read in turn and sorted one at a time are the whole in order, in the memory of one bucket.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from .engines.base import Tokens
from .rows import ORDER, uniform
from .schemas import join_schemas
from .shards import write_frame

HASH = "_h"
"""Of seed and `_id`: a part of a mix takes the rows with the lowest ones."""
PLACE = "_place"
"""A permutation of the hash: the order in which the mix is written. In the order of the hash itself
the rows of a part that takes few would all stand at the beginning."""
SPREAD = 0x9E3779B97F4A7C15
"""Odd, so that multiplying by it modulo 2^64 is a permutation (Knuth, TAOCP vol. 3, 6.4)."""
MERGE = "_merge"
"""Of document and text: what enters a mix once."""
TOKENS = "_tokens"
HUMAN = "_human"
SOURCE = "_source"
BUCKET_BITS = 6
FLUSH_BYTES = 64 << 20


@dataclass(slots=True)
class Spool:
    """The rows of one edge that leaves the graph.

    Attributes:
        folder: Emptied when made.
        columns: Columns of the output that the rows may have.
        seed: The recipe's; with `_id` it decides the order in a mix.
        tokens: Counts what the mix weighs; None without a mix, which keeps the source's order.
        render: Makes the text of rows as they arrive, if the mix has a template for them.
    """

    folder: Path
    columns: Sequence[str]
    seed: int
    tokens: Tokens | None
    render: Callable[[pl.DataFrame], pl.DataFrame] | None = None
    rows: int = 0
    schema: dict[str, pl.DataType] = field(default_factory=dict)
    """Columns of all rows so far."""
    _waiting: list[pl.DataFrame] = field(default_factory=list)
    _bytes: int = 0
    _files: int = 0

    def __post_init__(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def take(self, frame: pl.DataFrame) -> None:
        """Keep a frame.

        Raises:
            OSError: It cannot be written.
            polars.exceptions.PolarsError: A column cannot hold what earlier frames and this one
            have.
            RunError: A row's text cannot be rendered.
        """
        self.rows += frame.height
        frame = self._keyed(self.render(frame) if self.render else frame)
        self.schema = join_schemas(self.schema, frame.schema)
        self._waiting.append(frame)
        self._bytes += int(frame.estimated_size())
        if self._bytes >= FLUSH_BYTES:
            self.flush()

    def _keyed(self, frame: pl.DataFrame) -> pl.DataFrame:
        own = ("text", "_doc", "_id", "_source", "_origin", ORDER)
        kept = [c for c in dict.fromkeys((*own, *self.columns)) if c in frame.columns]
        frame = frame.select(kept).with_columns(pl.col("text").fill_null(""))
        if self.tokens is None:
            return frame.with_columns((pl.col(ORDER) // (1 << 24)).alias("_bucket"))
        hashes = pl.Series(HASH, [uniform(self.seed, i) for i in frame["_id"]], pl.UInt64)
        merge = [
            uniform(0, doc, text) for doc, text in zip(frame["_doc"], frame["text"], strict=True)
        ]
        return frame.with_columns(
            hashes,
            place_of(hashes).alias(PLACE),
            pl.Series(MERGE, merge, pl.UInt64),
            pl.Series(TOKENS, self.tokens.count(frame["text"].to_list()), pl.Int64),
            (place_of(hashes) // (1 << (64 - BUCKET_BITS))).cast(pl.Int64).alias("_bucket"),
        )

    def flush(self) -> None:
        """Write what waits. Raises `OSError`."""
        if not self._waiting:
            return
        frame = pl.concat(self._waiting, how="diagonal_relaxed")
        self._waiting, self._bytes = [], 0
        for (bucket,), rows in frame.group_by("_bucket", maintain_order=True):
            place = self.folder / f"{bucket:012d}"
            place.mkdir(exist_ok=True)
            write_frame(rows.drop("_bucket"), place / f"{self._files:08d}.parquet")
        self._files += 1

    def narrow(self, capped: Collection[str] = ()) -> pl.DataFrame:
        """Hash, merge key, tokens and whether the text is human, of every row: 21 bytes each.

        Args:
            capped: Sources that the mix caps: then the source too, empty for all others.
        """
        self.flush()
        kinds = {HASH: pl.UInt64(), MERGE: pl.UInt64(), TOKENS: pl.UInt32(), HUMAN: pl.Boolean()}
        files = sorted(self.folder.glob("*/*.parquet"))
        if not files:
            more = {SOURCE: pl.Categorical()} if capped else {}
            return pl.DataFrame(schema={**kinds, **more})
        human = (pl.col("_origin") == "human").alias(HUMAN)
        wanted = [pl.col(HASH), pl.col(MERGE), pl.col(TOKENS).cast(pl.UInt32), human]
        if capped:
            named = pl.col(SOURCE).is_in(sorted(capped))
            source = pl.when(named).then(pl.col(SOURCE)).otherwise(pl.lit(""))
            wanted.append(source.cast(pl.Categorical).alias(SOURCE))
        return pl.scan_parquet(files).select(wanted).collect()

    def buckets(self) -> tuple[int, ...]:
        """Buckets that hold rows, in order."""
        self.flush()
        return tuple(sorted(int(p.name) for p in self.folder.iterdir()))

    def bucket(self, number: int) -> Iterator[pl.DataFrame]:
        """The frames of one bucket, in the order in which they were written."""
        for file in sorted((self.folder / f"{number:012d}").glob("*.parquet")):
            yield pl.read_parquet(file)


def place_of(hashes: pl.Series) -> pl.Series:
    """The places of rows with these hashes."""
    return hashes * pl.Series([SPREAD], dtype=pl.UInt64)  # wraps


def in_order(frame: pl.DataFrame, *keys: str) -> pl.DataFrame:
    """A frame sorted by keys; rows that share them stand in the order of all their columns.

    Only copies of one row on several ways share them, so the others' columns are rarely looked at.
    """
    ordered = frame.sort(keys)
    same = pl.all_horizontal(pl.col(k).eq_missing(pl.col(k).shift(1)) for k in keys)
    if not ordered.select(same.slice(1).any()).item():
        return ordered
    rest = [c for c, kind in frame.schema.items() if c not in keys and not kind.is_nested()]
    return frame.sort(*keys, *sorted(rest), nulls_last=True)
