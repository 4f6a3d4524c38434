"""Files of typed columns, read through polars' streaming engine: what Parquet and Arrow share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ...compiler.types import Type
from .pools import Ceilings, Pool
from .remote import local, size_of
from .rows import carried_columns
from .spec import Named, SourceSpec, Table, Unreadable
from .stored_pool import Inside, StoredPool
from .tables import KEY, TEXT, column, foreign, kind_of, missing, no_type, settled

BATCH_BYTES = 8 << 20
"""Stored bytes of the rows that are held at once, about."""
STEP, STEPS = 1_000, 64
"""Rows that are tried at once where a file is damaged, or this part of them if that is more."""
DAMAGE = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""What polars says of files that are not what they should be."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One such format.

    Attributes:
        name: As the user knows it.
        scan: A file as a lazy frame.
        look: What files say of themselves, if that is quicker than counting their rows.
    """

    name: str
    scan: Callable[[Path], pl.LazyFrame]
    look: Callable[[SourceSpec, Sequence[Path]], Inside | None] | None = None

    def kinds(self, spec: SourceSpec, file: Named) -> Mapping[str, Type]:
        """See `formats.Reader`."""
        try:
            schema = self._schema(file)
        except DAMAGE:
            return {}
        found = {new: column(schema, old) for new, old in spec.columns}
        return {new: kind_of(hit[1]) for new, hit in found.items() if hit}

    def read(
        self, spec: SourceSpec, types: Mapping[str, Type], files: Sequence[Named]
    ) -> Iterator[Table]:
        """See `formats.Reader`."""
        for file in files:
            try:
                schema = self._schema(file)
                rows = self._count(file)
            except DAMAGE as error:
                yield _fault(file, 1, f"not {self.name}: {_said(error)}")
                continue
            wanted = select(spec, types, schema)
            if isinstance(wanted, str):
                yield _fault(file, 1, wanted)
                continue
            yield from self._rows(file, rows, wanted)

    def pools(
        self,
        spec: SourceSpec,
        types: Mapping[str, Type],
        files: Sequence[Named],
        places: Sequence[int],
        ceilings: Ceilings,
    ) -> list[Pool]:
        """See `formats.Reader`."""
        inside = self.look(spec, [local(f.path) for f in files]) if self.look else None
        if inside is None:
            inside = Inside([self._countable(f) for f in files])
        size = sum(size_of(f.path) for f in files)
        mean = size / max(1, sum(inside.rows))
        return [StoredPool(self, spec, types, files, places, inside, mean)]

    def runs(
        self,
        spec: SourceSpec,
        types: Mapping[str, Type],
        file: Named,
        runs: Sequence[tuple[int, int]],
    ) -> Iterator[Table]:
        """Some rows of a file: for each run, from its first row on, so many."""
        try:
            lazy = self.scan(local(file.path))
            wanted = select(spec, types, dict(lazy.collect_schema()))
        except DAMAGE as error:
            yield _fault(file, 1, f"not {self.name}: {_said(error)}")
            return
        if isinstance(wanted, str):
            yield _fault(file, 1, wanted)
            return
        for start, count in runs:
            yield self._slice(lazy.select(wanted), file, start, count)

    def _rows(self, file: Named, rows: int, wanted: list[pl.Expr]) -> Iterator[Table]:
        size = size_of(file.path)
        batch = max(64, min(16_384, BATCH_BYTES * rows // max(1, size)))
        done = 0
        lazy = self.scan(local(file.path)).select(wanted)
        # A panic in polars' threads ends the batches without a word, so the rows are counted.
        with suppress(*DAMAGE):
            for frame in lazy.collect_batches(chunk_size=batch, maintain_order=True, lazy=True):
                yield Table(frame, file.shown, range(done + 1, done + 1 + frame.height))
                done += frame.height
        # Somewhere it is damaged; the rows before and after the damage can be had.
        step = max(STEP, rows // STEPS)
        for start in range(done, rows, step):
            yield self._slice(lazy, file, start, min(step, rows - start))

    def _slice(self, lazy: pl.LazyFrame, file: Named, start: int, count: int) -> Table:
        try:
            frame = lazy.slice(start, count).collect()
        except DAMAGE as error:
            return _fault(file, start + 1, f"{count:,} rows cannot be read: {_said(error)}")
        if lost := count - frame.height:
            return _fault(file, start + 1, f"{count:,} rows cannot be read: {lost:,} are not there")
        return Table(frame, file.shown, range(start + 1, start + 1 + frame.height))

    def _schema(self, file: Named) -> Mapping[str, pl.DataType]:
        return dict(self.scan(local(file.path)).collect_schema())

    def _count(self, file: Named) -> int:
        return int(self.scan(local(file.path)).select(pl.len()).collect().item())

    def _countable(self, file: Named) -> int:
        try:
            return self._count(file)
        except DAMAGE:
            return 0


def select(
    spec: SourceSpec, types: Mapping[str, Type], schema: Mapping[str, pl.DataType]
) -> list[pl.Expr] | str:
    """The columns of a file that a source looks at, or the reason why it cannot be read."""
    text = column(schema, spec.text)
    if text is None:
        return missing(schema, spec.text)
    wanted = [text[0].alias(TEXT)]
    if spec.key is not None:
        key = column(schema, spec.key)
        if key is None:
            return missing(schema, spec.key)
        if foreign(kind_of(key[1])):
            return no_type(spec.key, key[1])
        wanted.append(key[0].alias(KEY))
    carried = dict(carried_columns(spec))
    for new, old in spec.columns:
        found = column(schema, old)
        if found is None and new not in types:
            return missing(schema, old)
        if found is None:
            wanted.append(pl.lit(None).alias(new))
        elif new in carried or not settled(found[1], types.get(new)):
            wanted.append(found[0].alias(new))
    return wanted


def _fault(file: Named, row: int, reason: str) -> Table:
    return Table(pl.DataFrame(), file.shown, (), (Unreadable(file.shown, row, reason, b""),))


def _said(error: BaseException) -> str:
    if isinstance(error, pl.exceptions.PanicException):
        return "it is damaged"  # what a panic says helps nobody
    first = str(error).partition("\n")[0]
    return first.removeprefix("parquet: ").removeprefix("File out of specification: ")[:120]
