"""Rows whose verdict is known: read, their labels found, their columns named as a check reads them.

A label is true for a row that a good check keeps. A kind says what is wrong with a row that it
rejects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...compiler.suggest import nearest
from ..sources.formats import FORMATS, known_format
from ..sources.rows import pick

LABELS = ("label", "good", "keep", "faithful", "consistent", "equal", "correct")
"""Columns that are taken for the label, the first that is there."""

KINDS = ("kind", "error", "error_kind", "errors", "edit_types")
"""Likewise for the kinds of errors."""

GROUPS = ("group", "source_id", "_doc")
"""Likewise for what rows have in common that must not stand on both sides of a fold."""

_TRUTH: Mapping[Any, bool] = {
    True: True, False: False, "1": True, "0": False, "true": True, "false": False,
    "yes": True, "no": False, "good": True, "bad": False,
}  # fmt: skip


class CalibrationError(Exception):
    """Something that a calibration cannot go on with; the message says what to type."""


@dataclass(frozen=True, slots=True)
class Example:
    """A row with its label.

    Attributes:
        number: In the file, from 1.
        row: Its columns, under the names that the check reads too.
        good: Whether a good check keeps it.
        kinds: What is wrong with it, if it is bad and the data says so.
        group: What it has in common with others.
    """

    number: int
    row: Mapping[str, Any]
    good: bool
    kinds: tuple[str, ...]
    group: str


@dataclass(frozen=True, slots=True)
class Labelled:
    """A file of labelled rows.

    Attributes:
        file: As the user named it.
        label: The column that held the labels.
        kind: The column that held the kinds of errors; None without one.
        group: The column that held the groups; None without one.
        examples: The rows that have a label.
        unlabelled: How many have none.
    """

    file: str
    label: str
    kind: str | None
    group: str | None
    examples: tuple[Example, ...]
    unlabelled: int


def read_rows(file: Path) -> list[dict[str, Any]]:
    """The rows of a JSONL, CSV, TSV, Parquet or Arrow file; packed ones too.

    Raises:
        CalibrationError: A line is no row, or the file's kind is not known.
        OSError: It cannot be read.
    """
    format = known_format(file.name) or FORMATS["jsonl"]
    if format.name == "jsonl":
        return list(_lines(file))
    import polars as pl

    readers = {
        "parquet": pl.read_parquet,
        "arrow": pl.read_ipc,
        "csv": pl.read_csv,
        "tsv": lambda path: pl.read_csv(path, separator="\t"),
    }
    if format.name not in readers:
        raise CalibrationError(f"{file}: labelled rows are JSONL, CSV, TSV, Parquet or Arrow")
    try:
        frame: pl.DataFrame = readers[format.name](file)
    except pl.exceptions.PolarsError as error:
        raise CalibrationError(f"{file}: {str(error).splitlines()[0]}") from None
    return frame.rows(named=True)


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    import orjson

    from ..sources.lines import read_blocks

    for block in read_blocks(file):
        for number, line in enumerate(block.lines, block.first):
            if not line.strip():
                continue
            try:
                row = orjson.loads(line)
            except ValueError as error:
                raise CalibrationError(f"{file}:{number}: not JSON: {error}") from None
            if not isinstance(row, dict):
                raise CalibrationError(f"{file}:{number}: a row is an object")
            yield row
        if block.fault is not None:
            raise CalibrationError(f"{file}:{block.fault.line}: {block.fault.reason}")


def label_rows(
    rows: Sequence[tuple[int, Mapping[str, Any]]],
    file: str,
    *,
    label: str | None = None,
    kind: str | None = None,
    group: str | None = None,
    names: Mapping[str, str] | None = None,
) -> Labelled:
    """Find the labels of rows, and give their columns the names that a check reads.

    Args:
        rows: As they were read, with their numbers in the file, from 1.
        file: Where from, for messages.
        label: The column of the labels; None for the first of `LABELS` that is there.
        kind: The column of the kinds of errors, text or lists; None for the first of `KINDS`.
        group: The column that rows of one origin share; None for the first of `GROUPS`.
        names: New name to column of the data, which may be a path with dots.

    Raises:
        CalibrationError: A column is missing, or a label says neither yes nor no.
    """
    columns = columns_of(row for _, row in rows)
    for new, old in (names or {}).items():
        if old not in columns and old.partition(".")[0] not in columns:
            raise CalibrationError(f"--map {new}={old}: {_no_column(old, columns, file)}")
    label = _column("--label", label, LABELS, columns, file)
    if label is None:
        raise CalibrationError(
            f"{file} has no column of labels ({', '.join(LABELS)}); name yours: --label COLUMN"
            f"\ncolumns: {', '.join(columns)}"
        )
    kind = _column("--kind", kind, KINDS, columns, file)
    group = _column("--group", group, GROUPS, columns, file)
    examples: list[Example] = []
    unlabelled = 0
    for number, row in rows:
        value = row.get(label)
        if value is None:
            unlabelled += 1
            continue
        good = _truth(value)
        if good is None:
            raise CalibrationError(
                f"{file}, row {number}: {label} is {value!r}; a label is true or false, 1 or 0"
            )
        named = {**dict.fromkeys(columns), **row}
        named |= {new: pick(row, old) for new, old in (names or {}).items()}
        kinds = () if good or kind is None else tuple(_kinds(row.get(kind)))
        shared = str(number) if group is None else str(row.get(group))
        examples.append(Example(number, named, good, kinds, shared))
    if not any(e.good for e in examples) or all(e.good for e in examples):
        every = "good" if examples and examples[0].good else "bad"
        what = f"all {len(examples):,} are {every}" if examples else "there is none"
        raise CalibrationError(
            f"{file}: a calibration needs good rows and bad ones, and by column {label} {what}"
        )
    return Labelled(file, label, kind, group, tuple(examples), unlabelled)


def _truth(value: Any) -> bool | None:
    if isinstance(value, str):
        return _TRUTH.get(value.strip().lower())
    return _TRUTH.get(value) if isinstance(value, bool | int | float) else None


def columns_of(rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The columns that any row has, in order."""
    return tuple(dict.fromkeys(name for row in rows for name in row))


def _column(
    flag: str, given: str | None, known: Sequence[str], columns: Sequence[str], file: str
) -> str | None:
    if given is not None and given not in columns:
        raise CalibrationError(f"{flag} {given}: {_no_column(given, columns, file)}")
    return given or next((name for name in known if name in columns), None)


def _no_column(name: str, columns: Sequence[str], file: str) -> str:
    close = nearest(name, columns)
    hint = f"did you mean {close}?" if close else f"its columns: {', '.join(columns)}"
    return f"{file} has no such column; {hint}"


def _kinds(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = [name for name, is_so in value.items() if is_so]
    for item in value if isinstance(value, list | tuple) else [value]:
        if item not in (None, ""):
            yield str(item)
