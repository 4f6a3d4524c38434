"""Folders of texts, of which each file is a row: files are drawn, and all of them are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl
import xxhash

from ...compiler.types import Type
from . import documents
from .pools import CLUSTER, Batch, Ceilings, Totals, identified, ratio, row_sizes
from .remote import size_of
from .spec import Named, SourceSpec
from .tables import rows_of


class DocumentPool:
    """A pool of files, in the order of a hash of their names."""

    def __init__(
        self,
        spec: SourceSpec,
        types: Mapping[str, Type],
        files: Sequence[Named],
        places: Sequence[int],
        ceilings: Ceilings,
    ) -> None:
        self._spec, self._types = spec, types
        salt = ceilings.seed & (2**64 - 1)
        digest = xxhash.xxh3_64_intdigest
        ranks = [digest(f.name.encode(), salt) for f in files]
        order = sorted(range(len(files)), key=lambda i: (ranks[i], i))
        self._files = [files[i] for i in order]
        self._places = [places[i] for i in order]
        self._sizes = [size_of(f.path) for f in self._files]
        self._next = 0
        self._seen: list[tuple[int, int]] = []
        """Of each drawn file, whether it is a row, and the size of that row."""

    @property
    def rows(self) -> float:
        """See `pools.Pool`."""
        return float(len(self._files))

    @property
    def mean(self) -> float:
        """See `pools.Pool`."""
        return sum(self._sizes) / max(1, len(self._sizes))

    def draw(self, n: int, seed: int) -> Batch:
        """See `pools.Pool`; the order is fixed by the seed of the sampler."""
        del seed
        first, files = self._next, self._files[self._next : self._next + n]
        numbers = {f.shown: first + k for k, f in enumerate(files)}
        seen = [(0, 0)] * len(files)
        batch = Batch()
        for table in documents.read(self._spec, self._types, files):
            if table.frame.width:
                draws = pl.Series(CLUSTER, [numbers[shown] for shown in table.files], pl.Int64)
                table = replace(table, frame=table.frame.with_columns(draws))
            rows, bad = rows_of(self._spec, self._types, table)
            batch.unreadable += bad
            if not rows.height:
                continue
            ids = identified(rows["_doc"].to_list(), [str(k) for k in rows[CLUSTER]])
            batch.frames.append(rows.with_columns(pl.Series("_id", ids, pl.String)))
            for k, size in zip(rows[CLUSTER], row_sizes(rows), strict=True):
                seen[k - first] = (1, size)
        self._next += len(files)
        batch.new = len(files)
        self._seen += seen
        return batch

    def totals(self) -> Totals:
        """See `pools.Pool`. Files are as large as their texts, unless they are packed."""
        count, n = len(self._files), len(self._seen)
        unseen = 1 - n / max(1, count)
        good = ratio([rows for rows, _ in self._seen], [1] * n)
        size = ratio([size for _, size in self._seen], self._sizes[:n])
        whole = sum(self._sizes)
        return Totals(
            count * good.value,
            whole * size.value,
            count**2 * good.variance * unseen,
            whole**2 * size.variance * unseen,
            frozenset(self._places[:n]),
        )
