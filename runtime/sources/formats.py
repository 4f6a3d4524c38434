"""The table of formats: what a file is called decides how it is read.

A format is a module of this folder with the functions of `Reader`. To add one, write the module
and give it a row here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from .remote import Remote

if TYPE_CHECKING:
    from ...compiler.types import Type
    from .pools import Ceilings, Pool
    from .spec import Named, SourceSpec, Table

PACKED = (".gz", ".zst", ".zstd")
"""Suffixes that say how a file is packed, not what it holds."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format of files.

    Attributes:
        name: What a recipe writes in `format:`.
        suffixes: Of file names.
        about: What a row is, in a few words.
        module: The file here that reads it; empty for JSONL, which is read by its lines.
        joins: Whether a file is one row, so that many files make a partition.
        packed: Whether its files may be packed with gzip or zstd.
    """

    name: str
    suffixes: tuple[str, ...]
    about: str
    module: str = ""
    joins: bool = False
    packed: bool = False


class Reader(Protocol):
    """What a format's module does."""

    def kinds(self, spec: SourceSpec, file: Named) -> Mapping[str, Type]:
        """The types of the mapped columns that a file has, by their new names.

        Raises:
            OSError: It cannot be read.
        """
        ...

    def read(
        self, spec: SourceSpec, types: Mapping[str, Type], files: Sequence[Named]
    ) -> Iterator[Table]:
        """All rows of files in order; what cannot be read is a fault, never an exception.

        A column that `types` does not have either is in no file of the source: a fault.
        """
        ...

    def pools(
        self,
        spec: SourceSpec,
        types: Mapping[str, Type],
        files: Sequence[Named],
        places: Sequence[int],
        ceilings: Ceilings,
    ) -> Sequence[Pool]:
        """The files as pools that rows are drawn from; `places` are those of the files."""
        ...


FORMATS: Mapping[str, Format] = {
    f.name: f
    for f in (
        Format("jsonl", (".jsonl", ".ndjson", ".json"), "an object a line", packed=True),
        Format("parquet", (".parquet", ".pq"), "a row of typed columns", "parquet"),
        Format("arrow", (".arrow", ".feather", ".ipc"), "a row of typed columns", "arrow"),
        Format("csv", (".csv",), "a record below a header", "delimited", packed=True),
        Format("tsv", (".tsv", ".tab"), "a record below a header", "delimited", packed=True),
        Format("text", (".md", ".markdown", ".txt", ".text"), "a file a row: `text` and `path`",
               "documents", joins=True, packed=True),
    )
}  # fmt: skip

_BY_SUFFIX = {suffix: f for f in FORMATS.values() for suffix in f.suffixes}
_BY_HEAD = {b"PAR1": FORMATS["parquet"], b"ARRO": FORMATS["arrow"]}


def format_of(file: Path | Remote, said: str | None = None) -> Format:
    """The format of a file: what the recipe says, else its suffix, else its first bytes.

    Raises:
        OSError: The file has no known suffix and cannot be read.
    """
    if said is not None:
        return FORMATS[said]
    known = known_format(file.name)
    if known is not None or isinstance(file, Remote):
        return known or FORMATS["jsonl"]
    with file.open("rb") as opened:
        return _BY_HEAD.get(opened.read(4), FORMATS["jsonl"])


def known_format(name: str) -> Format | None:
    """The format that a file's suffix says, if it says one."""
    name = name.lower()
    for end in PACKED:
        name = name.removesuffix(end)
    return _BY_SUFFIX.get(Path(name).suffix)


def reader_of(format: Format) -> Reader:
    """The module that reads a format."""
    root = __package__ or "mashbill.runtime.sources"
    return cast(Reader, import_module(f"{root}.{format.module}"))


def groups(spec: SourceSpec) -> Iterator[tuple[Format, tuple[Named, ...]]]:
    """Consecutive files of one format; one file each unless a file is a row."""
    run: list[Named] = []
    running: Format | None = None
    for file in spec.named:
        found = format_of(file.path, spec.format)
        if run and running is not None and (found is not running or not running.joins):
            yield running, tuple(run)
            run = []
        run.append(file)
        running = found
    if run and running is not None:
        yield running, tuple(run)
