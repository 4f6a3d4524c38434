"""CSV and TSV: a header, then records; a record may go over several lines inside quotes.

Cells are text. A mapped column becomes numbers or truth values when every cell of the sample is
one, written plainly (`7`, `-1.5`, `true`; `007` and `1e400` stay text). An empty cell is null, in
the `text` column it is empty text. A record with another number of fields than the header is none.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import polars as pl

from ...compiler.types import BOOL, FLOAT, INT, STR, Type
from .cells import cell_value
from .lines import BOM, MAX_LINE, packing, read_blocks
from .pools import Ceilings, Pool
from .remote import local, size_of
from .spec import Named, SourceSpec, Table, Unreadable
from .tables import KEY, TEXT, missing

BATCH_BYTES = 8 << 20
SAMPLE = 1_000
HEAD = 4 << 20
"""Bytes at the beginning of a file that decide types, with windows from all over it."""
WINDOW = 256 << 10
WINDOWS = 16

csv.field_size_limit(MAX_LINE)


@dataclass(frozen=True, slots=True)
class Record:
    """Fields, the line that they begin on, and why they are no row, if they are none."""

    line: int
    fields: list[str]
    fault: str | None = None


def kinds(spec: SourceSpec, file: Named) -> Mapping[str, Type]:
    """See `formats.Reader`."""
    header, records, _ = _sample(spec, file, SAMPLE, seed=0)
    places = {new: header.index(old) for new, old in spec.columns if old in header}
    return {new: _kind(r.fields[i] for r in records) for new, i in places.items()}


def read(spec: SourceSpec, types: Mapping[str, Type], files: Sequence[Named]) -> Iterator[Table]:
    """See `formats.Reader`."""
    for file in files:
        records = _records(_Lines(file), delimiter_of(spec, file))
        first = next(records, None)
        if first is None:
            continue
        reason = first.fault or _lacking(spec, types, first.fields)
        if reason:
            yield _faults(file, [Unreadable(file.shown, 1, reason, _raw(first.fields))])
            continue
        batch: list[Record] = []
        size = 0
        for record in records:
            batch.append(record)
            size += sum(map(len, record.fields))
            if size >= BATCH_BYTES:
                yield record_table(spec, file, first.fields, batch)
                batch, size = [], 0
        if batch:
            yield record_table(spec, file, first.fields, batch)


def pools(
    spec: SourceSpec,
    types: Mapping[str, Type],
    files: Sequence[Named],
    places: Sequence[int],
    ceilings: Ceilings,
) -> list[Pool]:
    """See `formats.Reader`."""
    from .sampled_records import Records
    from .splitting import split_pools

    return split_pools(lambda some: Records(spec, types, some), files, places, ceilings)


@dataclass(frozen=True, slots=True)
class Head:
    """The fields of a file's header, and what stands between them."""

    fields: list[str]
    mark: str

    def lacking(self, spec: SourceSpec, types: Mapping[str, Type]) -> str | None:
        """Why the file does not serve the source."""
        return _lacking(spec, types, self.fields)


def head_of(spec: SourceSpec, file: Named) -> Head:
    """The header of a file; without fields where there is none."""
    mark = delimiter_of(spec, file)
    return Head(next(_records(_Lines(file), mark), Record(1, [])).fields, mark)


def delimiter_of(spec: SourceSpec, file: Named) -> str:
    """What stands between the fields of a file."""
    if spec.delimiter is not None:
        return spec.delimiter
    named = ".tsv" in file.name.lower() or ".tab" in file.name.lower()
    return "\t" if spec.format == "tsv" or (spec.format is None and named) else ","


def _lacking(spec: SourceSpec, types: Mapping[str, Type], header: list[str]) -> str | None:
    """Why a header does not serve the source."""
    needed = [spec.text, *filter(None, [spec.key]), *(old for _, old in spec.columns)]
    known = {old for new, old in spec.columns if new in types}
    for name in needed:
        if name not in header and name not in known:
            return missing(dict.fromkeys(header), name)
        if header.count(name) > 1:
            return f"column {name} stands twice in the header"
    return None


class _Lines:
    """Decoded lines of a file, each with its line feed, and what could not be read of it."""

    def __init__(self, file: Named) -> None:
        self.file = file
        self.skipped = 0
        self.faults: list[tuple[int, str]] = []

    def __iter__(self) -> Iterator[str]:
        for block in read_blocks(local(self.file.path)):
            for raw in block.lines:
                # What is no UTF-8 becomes lone surrogates, and is told when the record is whole.
                yield raw.decode("utf-8", "surrogateescape") + "\n"
            if block.fault:
                self.skipped += 1
                self.faults.append((block.fault.line, block.fault.reason))


def _records(lines: _Lines, delimiter: str) -> Iterator[Record]:
    """Records in order, the header first; blank lines are none."""
    reader = csv.reader(iter(lines), delimiter=delimiter, strict=True)
    width: int | None = None
    line = 1
    while True:
        fault = None
        try:
            fields = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            fields, fault = [], f"not CSV: {error}"
        for place, reason in lines.faults:
            yield Record(place, [], reason)
        lines.faults.clear()
        if fields or fault:
            if width is None:
                width = len(fields)
            elif not fault and len(fields) != width and fields != [""]:
                fault = f"{len(fields)} fields, expected {width}"
            if fields != [""] or width == 1:
                yield Record(line, fields, fault)
        line = reader.line_num + lines.skipped + 1
    for place, reason in lines.faults:
        yield Record(place, [], reason)


def record_table(
    spec: SourceSpec,
    file: Named,
    header: list[str],
    records: Sequence[Record],
) -> Table:
    """A table of records; those that are no rows are its faults."""
    bad = [Unreadable(file.shown, r.line, r.fault, _raw(r.fields)) for r in records if r.fault]
    good = [r for r in records if not r.fault]
    try:
        return _columns(spec, file, header, good, bad)
    except UnicodeEncodeError:
        broken = [r for r in good if not _encodes(r.fields)]
        bad += [Unreadable(file.shown, r.line, "not UTF-8", _raw(r.fields)) for r in broken]
        bad.sort(key=lambda u: u.line)
        good = [r for r in good if _encodes(r.fields)]
        return _columns(spec, file, header, good, bad)


def _columns(
    spec: SourceSpec,
    file: Named,
    header: list[str],
    good: Sequence[Record],
    bad: Sequence[Unreadable],
) -> Table:
    def cells(name: str) -> list[str]:
        place = header.index(name)
        return [r.fields[place] for r in good]

    series = [pl.Series(TEXT, cells(spec.text), pl.String)]
    if spec.key is not None:
        series.append(pl.Series(KEY, cells(spec.key), pl.String))
    for new, old in spec.columns:
        texts = cells(old) if old in header else [""] * len(good)
        cells_ = pl.Series(new, texts, pl.String)
        series.append(cells_.set(cells_ == "", None))
    lines = [r.line for r in good]
    return Table(pl.DataFrame(series), file.shown, lines, tuple(bad), cells=True)


def _kind(cells: Iterator[str]) -> Type:
    """The type that all cells have; text if they differ."""
    found = {type(cell_value(c)) for c in cells if c != ""}
    if found == {int}:
        return INT.maybe()
    if found and found <= {int, float}:
        return FLOAT.maybe()
    return BOOL.maybe() if found == {bool} else STR.maybe()


def _sample(
    spec: SourceSpec, file: Named, n: int, seed: int
) -> tuple[list[str], list[Record], float]:
    """The header, about `n` good records from all over a file, and their mean length in bytes."""
    path, mark = local(file.path), delimiter_of(spec, file)
    records = _records(_Lines(file), mark)
    header = next(records, Record(1, []))
    found: list[Record] = []
    size = 0
    for record in records:
        found.append(record)
        size += sum(map(len, record.fields)) + len(record.fields)
        if size >= HEAD:
            break
    total = size_of(path)
    if size >= HEAD and packing(path) == "plain" and total > 4 * HEAD:
        rng = random.Random(seed)
        step = (total - HEAD) // WINDOWS
        for k in range(WINDOWS):
            found += _window(file, HEAD + k * step + rng.randrange(step), len(header.fields), mark)
    good = [r for r in found if not r.fault and _encodes(r.fields)]
    lengths = [sum(len(f.encode()) for f in r.fields) + len(r.fields) for r in good]
    mean = sum(lengths) / len(lengths) if lengths else 0.0
    if len(good) > n:
        picks = sorted(random.Random(seed).sample(range(len(good)), n))
        good = [good[i] for i in picks]
    return header.fields, good, mean


def _window(file: Named, at: int, width: int, mark: str) -> list[Record]:
    """Records that begin in a window: from the first line on that gives the header's width.

    Where a quote was opened before the window this can guess wrong, so no row of a run is ever
    found this way: only samples are.
    """
    with local(file.path).open("rb") as opened:
        opened.seek(at)
        lines = opened.read(WINDOW).removeprefix(BOM).split(b"\n")[1:-1]
    texts = [raw.decode("utf-8", "replace") + "\n" for raw in lines]
    for start in range(min(len(texts), 50)):
        reader = csv.reader(texts[start:], delimiter=mark)
        try:
            records = list(islice(reader, SAMPLE))
        except csv.Error:
            continue
        if len(records) > 1:
            records.pop()  # the window may end inside it
        if records and all(len(r) == width for r in records[:5]):
            return [Record(0, r) for r in records if len(r) == width]
    return []


def _encodes(fields: Sequence[str]) -> bool:
    try:
        "".join(fields).encode()
    except UnicodeEncodeError:
        return False
    return True


def _raw(fields: Sequence[str]) -> bytes:
    return ",".join(f[:200] for f in fields)[:200].encode("utf-8", "surrogateescape")[:200]


def _faults(file: Named, faults: Sequence[Unreadable]) -> Table:
    return Table(pl.DataFrame(), file.shown, (), tuple(faults))
