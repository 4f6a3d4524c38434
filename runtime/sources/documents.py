"""Folders of text and Markdown: a file is a row, with `text` and `path`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from ...compiler.types import STR, Type
from .lines import MAX_LINE, DamagedError, unpacked
from .pools import Ceilings, Pool
from .remote import local, size_of
from .spec import Named, SourceSpec, Table, Unreadable
from .stored import select
from .tables import TEXT

BATCH = 1_000
BATCH_BYTES = 8 << 20
COLUMNS: Mapping[str, pl.DataType] = {"text": pl.String(), "path": pl.String()}


def kinds(spec: SourceSpec, file: Named) -> Mapping[str, Type]:
    """See `formats.Reader`."""
    return {new: STR for new, old in spec.columns if old in COLUMNS}


def read(spec: SourceSpec, types: Mapping[str, Type], files: Sequence[Named]) -> Iterator[Table]:
    """See `formats.Reader`. A file that lies elsewhere is fetched as its turn comes."""
    wanted = select(spec, types, COLUMNS)
    texts: list[str] = []
    held: list[Named] = []
    faults: list[Unreadable] = []
    size = 0
    for file in files:
        if isinstance(wanted, str):
            faults.append(Unreadable(file.shown, 1, wanted, b""))
            continue
        found = _text(file)
        if isinstance(found, Unreadable):
            faults.append(found)
            continue
        texts.append(found)
        held.append(file)
        size += len(found)
        if size >= BATCH_BYTES or len(texts) >= BATCH:
            yield _table(wanted, texts, held, faults)
            texts, held, faults, size = [], [], [], 0
    if texts or faults:
        yield _table(wanted, texts, held, faults)


def pools(
    spec: SourceSpec,
    types: Mapping[str, Type],
    files: Sequence[Named],
    places: Sequence[int],
    ceilings: Ceilings,
) -> list[Pool]:
    """See `formats.Reader`."""
    from .document_pool import DocumentPool

    return [DocumentPool(spec, types, files, places, ceilings)]


def _table(
    wanted: list[pl.Expr] | str, texts: list[str], files: list[Named], faults: list[Unreadable]
) -> Table:
    if isinstance(wanted, str) or not texts:
        return Table(pl.DataFrame(), [], [], tuple(faults))
    whole = pl.DataFrame({TEXT: texts, "path": [f.name for f in files]}, schema=COLUMNS)
    return Table(whole.select(wanted), [f.shown for f in files], [1] * len(files), tuple(faults))


def _text(file: Named) -> str | Unreadable:
    """The text of a file, without its byte order mark."""
    if size_of(file.path) > MAX_LINE:
        return Unreadable(file.shown, 1, f"file is longer than {MAX_LINE >> 20} MB", b"")
    pieces: list[bytes] = []
    size = 0
    try:
        for piece in unpacked(local(file.path)):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_LINE:
                reason = f"file is longer than {MAX_LINE >> 20} MB"
                return Unreadable(file.shown, 1, reason, pieces[0][:200])
    except DamagedError as error:
        return Unreadable(file.shown, 1, str(error), b"".join(pieces)[:200])
    raw = b"".join(pieces)
    try:
        return raw.decode()
    except UnicodeDecodeError as bad:
        line = raw.count(b"\n", 0, bad.start) + 1
        start = raw.rfind(b"\n", 0, bad.start) + 1
        reason = f"not UTF-8: byte 0x{raw[bad.start]:02x} at {bad.start - start}"
        return Unreadable(file.shown, line, reason, raw[start : start + 200])
