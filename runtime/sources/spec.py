"""What a source is to the runtime, and what reading it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .remote import Remote

if TYPE_CHECKING:
    import polars as pl

CLUSTER = "_cluster"
"""Column of a sample with the number of the draw that a row came by."""

File = Path | Remote
"""A file that is here, or one that is fetched when it is first read."""


@dataclass(frozen=True, slots=True)
class Named:
    """A file of a source.

    Attributes:
        path: The file.
        shown: Its path as the user should see it.
        name: Its path from the recipe's folder, the same on every machine.
    """

    path: File
    shown: str
    name: str


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source whose files are known.

    Attributes:
        name: The recipe's name for it.
        files: Sorted; their order is the order of the rows.
        shown: For each file, its path as the user should see it.
        text: The column that becomes `text`; a dot reaches into objects (`meta.body`).
        columns: Pairs of new name and name in the data.
        key: The column that tells documents apart besides their text, if the recipe names one.
        origin: human, synthetic or mixed.
        limit: Keep the rows of the first so many `_doc`.
        keep_source: Whether rows carry `source.text`.
        carried: Of `columns`, those that rows carry, by their new names; None for all. The others
            are looked at nevertheless: a line with a value that does not fit is no row.
        format: A name of `formats.FORMATS`, where the recipe gives one; else each file's suffix
            decides.
        delimiter: What stands between the fields of delimited text, where the recipe says so.
        names: For each file, its path from the recipe's folder; as `shown` if not given.
    """

    name: str
    files: tuple[File, ...]
    shown: tuple[str, ...]
    text: str = "text"
    columns: tuple[tuple[str, str], ...] = ()
    key: str | None = None
    origin: str = "human"
    limit: int | None = None
    keep_source: bool = False
    carried: frozenset[str] | None = None
    format: str | None = None
    delimiter: str | None = None
    names: tuple[str, ...] = ()

    @property
    def named(self) -> tuple[Named, ...]:
        """The files with their names."""
        names = self.names or self.shown
        return tuple(map(Named, self.files, self.shown, names))


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that is not a row.

    Attributes:
        file: As shown to the user.
        line: Counted from 1; the row where a format has no lines.
        reason: Short, and the same words for the same cause.
        raw: Its first 200 bytes.
    """

    file: str
    line: int
    reason: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Partition:
    """Consecutive rows of one file, or of several where a file is a row.

    Attributes:
        frame: `text`, the mapped columns, `_doc`, `_id`, `_source`, `_origin`, maybe `source.text`.
        unreadable: The lines between them that are not rows.
        bytes: Unpacked bytes of all its lines; bytes of text where a format has no lines.
    """

    frame: pl.DataFrame
    unreadable: tuple[Unreadable, ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class Table:
    """Consecutive rows as a file holds them, before they are looked at.

    Attributes:
        frame: Columns as `tables.TEXT`, `tables.KEY` if the source has a key, and the mapped
            columns by their new names; types as they come.
        files: For each row the file, or one for all.
        lines: For each row its line or row in the file, from 1.
        faults: What could not be read at all.
        cells: Whether all columns are text that may say something else: see `cells`.
    """

    frame: pl.DataFrame
    files: str | Sequence[str]
    lines: Sequence[int]
    faults: tuple[Unreadable, ...] = ()
    cells: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows from all over a source, and what they tell about the whole.

    Attributes:
        frame: Sampled rows, in the order of the source if all of it was read. Where `exact_rows` is
            None, their `_id` differs from the run's, since it names the partition; `_doc` is always
            the run's.
        exact_rows: Readable rows of the source, if all of it was read.
        est_rows: The same, or an estimate.
        text_bytes: UTF-8 bytes of text columns in the whole source; exact if `exact_rows` is.
        unreadable: Unreadable lines met while sampling.
    """

    frame: pl.DataFrame
    exact_rows: int | None
    est_rows: int
    text_bytes: int
    unreadable: tuple[Unreadable, ...] = ()
