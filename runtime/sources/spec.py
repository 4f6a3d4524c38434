"""What a source is to the runtime, and what reading it gives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


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
    """

    name: str
    files: tuple[Path, ...]
    shown: tuple[str, ...]
    text: str = "text"
    columns: tuple[tuple[str, str], ...] = ()
    key: str | None = None
    origin: str = "human"
    limit: int | None = None
    keep_source: bool = False
    carried: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that is not a row.

    Attributes:
        file: As shown to the user.
        line: Counted from 1.
        reason: Short, and the same words for the same cause.
        raw: Its first 200 bytes.
    """

    file: str
    line: int
    reason: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Partition:
    """Consecutive rows of one file.

    Attributes:
        frame: `text`, the mapped columns, `_doc`, `_id`, `_source`, `_origin`, maybe `source.text`.
        unreadable: The lines between them that are not rows.
        bytes: Unpacked bytes of all its lines.
    """

    frame: pl.DataFrame
    unreadable: tuple[Unreadable, ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows from all over a source, and what they tell about the whole.

    Attributes:
        frame: Sampled rows in the order of the source. Where `exact_rows` is None, their `_id`
            differs from the run's, since it names the partition; `_doc` is always the run's.
        exact_rows: Readable rows of the source, if all of it was read.
        est_rows: The same, or an estimate.
        text_bytes: UTF-8 bytes of `text` in the whole source; exact if `exact_rows` is.
        unreadable: Unreadable lines met while sampling.
    """

    frame: pl.DataFrame
    exact_rows: int | None
    est_rows: int
    text_bytes: int
    unreadable: tuple[Unreadable, ...] = ()
