"""From lines of JSON to a frame: what is a row, what is not, and the ids of those that are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...compiler.types import STR, Type
from .columns import fits, polars_type, type_of
from .spec import SourceSpec, Unreadable

if TYPE_CHECKING:
    import polars as pl

Numbered = Sequence[tuple[int, bytes]]
"""Lines with their numbers."""


class NotARowError(Exception):
    """A line is not a row; the message is the short reason."""


def reader(spec: SourceSpec, types: Mapping[str, Type]) -> Callable[[bytes], list[Any] | None]:
    """A function from a line to `[_doc, text, *columns]`, those carried; None for a blank line.

    The function raises `NotARowError` for what is not a row.
    """
    import orjson

    loads, digest = orjson.loads, doc_digest(spec)
    text_path, key_path = spec.text, spec.key
    carried = {new for new, _ in carried_columns(spec)}
    picks = [(new, old, types.get(new, STR), new in carried) for new, old in spec.columns]

    def read(raw: bytes) -> list[Any] | None:
        try:
            row = loads(raw)
        except ValueError as error:
            if not raw or raw.isspace():
                return None
            raise NotARowError(_why(raw, error)) from None
        if type(row) is not dict:
            raise NotARowError(f"not an object but {_kind(row)}")
        text = row.get(text_path)
        if type(text) is not str:
            text = _text(row, text_path)
        if "\0" in text:
            raise NotARowError(f"column {text_path} holds a NUL character")
        key = b"" if key_path is None else key_bytes(pick(row, key_path))
        values: list[Any] = [digest(key, text.encode()), text]
        for new, old, kind, wanted in picks:
            value = pick(row, old)
            if value is not None and not fits(value, kind):
                raise NotARowError(f"schema-drift: column {new} is {drift(value, kind)}")
            if wanted:
                values.append(value)
        return values

    return read


def doc_digest(spec: SourceSpec) -> Callable[[bytes, bytes], str]:
    """A function from key and text, in UTF-8, to `_doc`: the same whatever format they came in."""
    import xxhash

    digest = xxhash.xxh3_128_hexdigest
    name = spec.name.encode()
    prefix = b"%d:%s" % (len(name), name)
    # Lengths keep the parts apart: ("ab", "c") and ("a", "bc") are two documents.
    return lambda key, text: digest(b"%s%d:%s%s" % (prefix, len(key), key, text))


def occurrences(docs: Sequence[str], seen: Counter[str]) -> list[str]:
    """`_id`s of a partition's rows: its documents and how often they came so, and the place in it.

    Neither the format nor columns that the recipe does not name take part, so that converting or
    widening the data changes no `_id`.
    """
    import xxhash

    digest = xxhash.xxh3_128_hexdigest("".join(docs).encode())
    repeat = seen[digest]
    seen[digest] += 1
    hexdigest = xxhash.xxh3_128_hexdigest
    return [hexdigest(f"{doc}{digest}{repeat}:{i}".encode()) for i, doc in enumerate(docs)]


def carried_columns(spec: SourceSpec) -> tuple[tuple[str, str], ...]:
    """Of the mapped columns, those that rows carry."""
    return tuple(c for c in spec.columns if spec.carried is None or c[0] in spec.carried)


def pick(row: Mapping[str, Any], name: str) -> Any:
    """A column by its name, or by a path of names with dots; None if it is not there."""
    if name in row or "." not in name:
        return row.get(name)
    value: Any = row
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def build_frame(
    spec: SourceSpec, types: Mapping[str, Type], rows: Sequence[Sequence[Any]], ids: Sequence[str]
) -> pl.DataFrame:
    """A frame of rows as `reader` gives them, in their order."""
    import polars as pl

    columns = carried_columns(spec)
    docs, texts, *rest = zip(*rows, strict=True) if rows else ((),) * (2 + len(columns))
    series = [pl.Series("text", texts, pl.String)]
    for (name, _), values in zip(columns, rest, strict=True):
        series.append(pl.Series(name, values, polars_type(types.get(name, STR)), strict=False))
    series.append(pl.Series("_doc", docs, pl.String))
    series.append(pl.Series("_id", ids, pl.String))
    return finish(spec, series)


def finish(spec: SourceSpec, series: Sequence[pl.Series]) -> pl.DataFrame:
    """A frame of `text`, carried columns, `_doc` and `_id`, with what all rows have in common."""
    import polars as pl

    source, origin = pl.lit(spec.name).alias("_source"), pl.lit(spec.origin).alias("_origin")
    frame = pl.DataFrame(series).with_columns(source, origin)
    return frame.with_columns(pl.col("text").alias("source.text")) if spec.keep_source else frame


def parse_lines(
    spec: SourceSpec, types: Mapping[str, Type], lines: Numbered, shown: str
) -> tuple[list[list[Any]], list[Unreadable]]:
    """Rows of one file's lines, in order, and the lines that are none."""
    read = reader(spec, types)
    rows: list[list[Any]] = []
    bad: list[Unreadable] = []
    for number, raw in lines:
        try:
            row = read(raw)
        except NotARowError as error:
            bad.append(Unreadable(shown, number, str(error), raw[:200]))
        else:
            if row is not None:
                rows.append(row)
    return rows, bad


def _text(row: Mapping[str, Any], name: str) -> str:
    value = pick(row, name)
    if isinstance(value, str):
        return value
    if value is None:
        missing = name not in row and "." not in name
        raise NotARowError(f"no column {name}" if missing else f"column {name} is null")
    raise NotARowError(f"column {name} is {_kind(value)}, expected str")


def key_bytes(value: Any) -> bytes:
    """A key as it goes into `_doc`: text as it is, other values as JSON, null as nothing."""
    import orjson

    if value is None:
        return b""
    return value.encode() if isinstance(value, str) else orjson.dumps(value)


def drift(value: Any, kind: Type) -> str:
    """Why a value does not stand in a column of a type."""
    if isinstance(value, str) and kind.kind == "str":
        return "text with a NUL character"
    if type(value) is int and kind.kind == "int":
        return "an integer beyond 64 bits"
    return f"{_kind(value)}, expected {kind.maybe(False)}"


def _kind(value: Any) -> str:
    return "object" if isinstance(value, dict) else type_of(value).kind


def _why(raw: bytes, error: ValueError) -> str:
    try:
        raw.decode()
    except UnicodeDecodeError as bad:
        return f"not UTF-8: byte 0x{raw[bad.start]:02x} at {bad.start}"
    if b"\0" in raw:
        return "holds NUL bytes"
    message = str(error)
    if "surrogate" in message:
        return "not JSON: half of a surrogate pair"
    return f"not JSON: {message[:100]}"
