"""Tables as they are read, cut anew by their rows alone: never by how a file was written."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

import polars as pl

from .spec import Table, Unreadable
from .tables import TEXT, text_sizes


def cut(tables: Iterable[Table], *, rows: int, size: int) -> Iterator[Table]:
    """Tables of `rows` rows, or of the fewest whose text has `size` bytes; the last may be less.

    Reading a file in other pieces, or from another format, gives the same cuts.
    """
    held = _Held()
    for table in tables:
        start = 0
        ends = _cumulated(table.frame) if table.frame.width else []
        while start < table.frame.height:
            before = ends[start - 1] if start else 0
            by_size = bisect_left(ends, before + size - held.size, lo=start) + 1
            stop = min(by_size, start + rows - held.rows)
            if stop > table.frame.height:
                break
            held.add(table, start, stop, ends[stop - 1] - before)
            yield held.take()
            held = _Held()
            start = stop
        if start < table.frame.height:
            before = ends[start - 1] if start else 0
            held.add(table, start, table.frame.height, ends[-1] - before)
        held.faults += table.faults
    if held.rows or held.faults:
        yield held.take()


def _cumulated(frame: pl.DataFrame) -> list[int]:
    return (text_sizes(frame[TEXT]) + 1).cum_sum().to_list()


class _Held:
    """Rows of a cut that is not full yet."""

    def __init__(self) -> None:
        self.rows = self.size = 0
        self.cells = False
        self.frames: list[pl.DataFrame] = []
        self.lines: list[int] = []
        self.file = ""
        self.files: list[str] = []
        self.faults: list[Unreadable] = []

    def add(self, table: Table, start: int, stop: int, size: int) -> None:
        """Take rows of a table."""
        self.frames.append(table.frame[start:stop])
        self.lines += table.lines[start:stop]
        if isinstance(table.files, str):
            self.file = table.files
        else:
            self.files += table.files[start:stop]
        self.cells = table.cells
        self.rows += stop - start
        self.size += size

    def take(self) -> Table:
        """All of them, as one table."""
        frame = pl.concat(self.frames, how="vertical_relaxed") if self.frames else pl.DataFrame()
        return Table(frame, self.files or self.file, self.lines, tuple(self.faults), self.cells)
