"""Sources that are read as a whole: their rows in a random order that other rows do not change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl
import xxhash

from .pools import CLUSTER, Batch, Ceilings, Totals, row_sizes
from .scan import scan_partitions
from .spec import SourceSpec, Unreadable

RANK, PLACE = "_rank", "_place"
MANY = 1_000
"""Unreadable lines that a sample keeps; more say nothing new."""


class Whole:
    """All rows of a source by the hash of seed, `_doc` and occurrence, as far as two ceilings.

    Reading is done in one pass, two where a source is limited to more rows than the ceiling; the
    memory is that of the rows under the ceilings, and 12 bytes a row.
    """

    def __init__(self, spec: SourceSpec, ceilings: Ceilings) -> None:
        seed, rows, size = ceilings.seed, ceilings.rows, ceilings.size
        self.count = self.bytes = self.given = 0
        self.unreadable: list[Unreadable] = []
        self._files = len(spec.files)
        held: list[pl.DataFrame] = []
        seen = _Seen()
        heavy = 0
        for frame in self._frames(spec, rows):
            sizes = row_sizes(frame)
            places = pl.int_range(self.count, self.count + frame.height, dtype=pl.Int64, eager=True)
            ranked = frame.with_columns(
                sizes.alias("_size"),
                places.alias(PLACE),
                _ranks(frame["_doc"], seen.occurrences(frame["_doc"]), seed).alias(RANK),
            )
            self.count += frame.height
            self.bytes += int(sizes.sum())
            held.append(ranked)
            heavy += frame.height + int(sizes.sum()) * rows // size
            if heavy > 4 * rows:
                held, heavy = [_first(pl.concat(held), rows, size)], 2 * rows
        self._frame = _first(pl.concat(held), rows, size).drop("_size", RANK)
        self.none = self._frame.clear().drop(PLACE).with_columns(pl.lit(0, pl.Int64).alias(CLUSTER))

    def _frames(self, spec: SourceSpec, rows: int) -> Iterator[pl.DataFrame]:
        if spec.limit is None or not 0 < spec.limit <= rows:
            for part in scan_partitions(spec):
                self.unreadable += part.unreadable[: MANY - len(self.unreadable)]
                yield part.frame
            return
        best: pl.DataFrame | None = None
        for part in scan_partitions(replace(spec, limit=None)):
            self.unreadable += part.unreadable[: MANY - len(self.unreadable)]
            best = part.frame if best is None else pl.concat([best, part.frame])
            if best.height > spec.limit:  # ties stay: equal documents cannot be told apart
                last = best["_doc"].bottom_k(spec.limit).max()
                best = best.filter(pl.col("_doc") <= last)
        assert best is not None, "a source has at least one partition"
        yield best

    @property
    def rows(self) -> float:
        """See `pools.Pool`."""
        return float(self.count)

    @property
    def mean(self) -> float:
        """See `pools.Pool`."""
        return self.bytes / max(1, self.count)

    @property
    def done(self) -> bool:
        """Whether every row of the source was given."""
        return self.given == self.count

    def draw(self, n: int, seed: int) -> Batch:
        """The next rows of the order, each drawn for itself, with their place in the source."""
        del seed  # the order is fixed
        frame = self._frame[self.given : self.given + n]
        clusters = pl.int_range(self.given, self.given + frame.height, dtype=pl.Int64, eager=True)
        self.given += frame.height
        return Batch([frame.with_columns(clusters.alias(CLUSTER))], new=frame.height)

    def totals(self) -> Totals:
        """See `pools.Pool`; all of it is counted."""
        return Totals(self.count, self.bytes, read=frozenset(range(self._files)))


def _first(ranked: pl.DataFrame, rows: int, size: int) -> pl.DataFrame:
    """The first rows of the order that both ceilings let through; one in any case."""
    ordered = ranked.sort(RANK, PLACE).head(rows)
    fits = ordered["_size"].cum_sum() <= size
    return ordered.head(max(1, int(fits.sum())))


def _ranks(docs: pl.Series, occurrences: pl.Series, seed: int) -> pl.Series:
    digest, salt = xxhash.xxh3_64_intdigest, seed & (2**64 - 1)
    pairs = zip(docs, occurrences, strict=True)
    ranks = [digest(f"{doc}:{k}".encode() if k else doc.encode(), salt) for doc, k in pairs]
    return pl.Series(RANK, ranks, pl.UInt64)


class _Seen:
    """How often documents have come, in 12 bytes each."""

    def __init__(self) -> None:
        self._counts: list[pl.DataFrame] = []

    def occurrences(self, docs: pl.Series) -> pl.Series:
        """For each row, how many equal ones came before it."""
        # Half of a digest is enough: rows whose halves meet by chance only rank elsewhere.
        keys = docs.str.slice(0, 16).str.to_integer(base=16, dtype=pl.UInt64, strict=False)
        here = pl.DataFrame({"doc": keys}).with_columns(
            pl.int_range(pl.len(), dtype=pl.UInt32).over("doc").alias("here")
        )
        earlier = [c.join(here, on="doc", how="semi") for c in self._counts]
        self._add(here.group_by("doc").agg(pl.len().cast(pl.UInt32).alias("before")))
        if not any(e.height for e in earlier):
            return here["here"]
        before = pl.concat(earlier).group_by("doc").agg(pl.col("before").sum())
        joined = here.join(before, on="doc", how="left", maintain_order="left")
        return joined["here"] + joined["before"].fill_null(0)

    def _add(self, counts: pl.DataFrame) -> None:
        """Keep few frames, each larger than all after it."""
        while self._counts and self._counts[-1].height <= counts.height:
            merged = pl.concat([self._counts.pop(), counts]).group_by("doc")
            counts = merged.agg(pl.col("before").sum())
        self._counts.append(counts)
