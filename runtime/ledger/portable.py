"""Exports: completions in one compressed, checksummed file that another ledger takes in.

After 16 bytes of header comes one zstd stream of records in the order of their keys, and a last one
with their number and the digest of all before. Nothing in it depends on how the ledger lies on
disk, on when something was committed or exported, so equal completions make equal files. There are
no names of files in it.
"""

from __future__ import annotations

import os
import stat
import struct
import time
from collections.abc import Container, Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

import zstandard

from .entries import FINISHES, read_body, usable
from .framing import Head
from .keys import KEY_BYTES
from .layout import index_lock, replacing, using
from .pack_writer import SAMPLES, Record, packing
from .segments import OpenSegments
from .view import View, survey

VERSION = 1
_MAGIC = b"MBEXPORT"
_LEVEL = 9
_RECORD = struct.Struct(f"<{KEY_BYTES}sIIIBI")
_END = struct.Struct("<Q16s")
LARGEST_RECORD = 1 << 28
"""Bytes that the body of one record may expand to."""
FREE_BYTES, RATIO = 1 << 30, 1000
"""An export may expand to so many bytes, and to so many times its size beyond. Keys do not compress
and take 16 bytes a record, so no export of replies comes near."""


class ExportError(Exception):
    """A file that cannot be imported, or an export that would not be whole."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written; `bytes` are those of the file."""

    completions: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Imported:
    """What was taken in.

    Attributes:
        completions: Taken in.
        present: Left out, because the ledger answers the same requests already.
        differing: Of all, those whose request the ledger answers with another text, and goes on to.
    """

    completions: int
    present: int
    differing: int


def export(folder: Path, file: Path, keys: Container[bytes] | None = None) -> Exported:
    """Write an export of a ledger, whole or not at all.

    Args:
        folder: Of the ledger.
        file: To write; its folder is made if need be.
        keys: What to take along; all, if none are given.

    Raises:
        ExportError: If a record is damaged or too large for an export.
        OSError: If it cannot be read or written.
    """
    with using(folder, write=False):
        return _export(folder, file, keys)


def _export(folder: Path, file: Path, keys: Container[bytes] | None) -> Exported:
    view = survey(folder, View())
    for table in view.tables:
        table.read_on(folder)
    count = 0
    digest = blake2b(digest_size=16)
    with replacing(file) as out, closing(OpenSegments(folder)) as segments:
        out.write(_header(VERSION))
        pack = zstandard.ZstdCompressor(level=_LEVEL)
        with pack.stream_writer(out, closefd=False) as stream:
            for record in _records(segments, view, keys):
                data = _written(record)
                digest.update(data)
                stream.write(b"R" + data)
                count += 1
            stream.write(b"E" + _END.pack(count, digest.digest()))
    view.close()
    return Exported(count, file.stat().st_size)


def _records(segments: OpenSegments, view: View, keys: Container[bytes] | None) -> Iterator[Record]:
    """Records in the order of their keys, those that nothing would ever find left out."""
    for key, places in groupby(view.walk(), key=lambda place: place[0]):
        if keys is not None and key not in keys:
            continue
        found = []
        for _, name, offset in places:
            frame = view.read(segments, name, offset)
            if frame is None:
                what = "a record is damaged, or was removed meanwhile"
                raise ExportError(f"{name}: {what}; type: mashbill ledger verify")
            head, data = frame
            found.append((head.committed, name, offset, Record(head, view.raw(name, head, data))))
        kept: list[Head] = []
        for *_, record in sorted(found, key=lambda f: f[:3]):
            if not any(_covers(head, record.head) for head in kept):
                kept.append(record.head)
                yield record


def _covers(there: Head, new: Head) -> bool:
    """Whether one record answers whatever another could answer."""
    if not _answers(there, new.max_tokens):
        return False
    if new.finish == "stop":
        return there.finish == "stop" and there.completion_tokens <= new.completion_tokens
    return True


def _answers(there: Head, limit: int) -> bool:
    return usable(there.finish, there.completion_tokens, there.max_tokens, limit)


def _written(record: Record) -> bytes:
    head = record.head
    if len(record.raw) > LARGEST_RECORD:
        raise ExportError(f"a completion of {len(record.raw):,} bytes is too large to export")
    counts = (head.prompt_tokens, head.completion_tokens, head.max_tokens)
    finish = FINISHES.index(head.finish)
    return _RECORD.pack(head.key, *counts, finish, len(record.raw)) + record.raw


def import_file(folder: Path, file: Path) -> Imported:
    """Take in the completions of an export that the ledger has none for: all of them, or none.

    The file is read to its end and checked before anything is written. What comes in is one pack,
    which appears at once.

    Raises:
        ExportError: If the file is not an export, or a damaged one.
        LedgerError: If another process tidies the ledger.
        OSError: If it cannot be read, or the disk is full.
    """
    # A pipe without a writer would keep us waiting.
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb") as data:
        if not stat.S_ISREG(os.fstat(data.fileno()).st_mode):
            raise ExportError(f"{file}: not a file")
        step, samples, count = 1, [], 0
        for count, record in enumerate(_read(file, data), 1):
            if count % step == 0:
                samples.append(record.raw[: 1 << 16])
            if len(samples) > 2 * SAMPLES:
                samples, step = samples[1::2], step * 2
        with using(folder, write=True), index_lock(folder):
            return _take_in(folder, file, data, samples) if count else Imported(0, 0, 0)


class _NothingNewError(Exception):
    pass


def _take_in(folder: Path, file: Path, data: BinaryIO, samples: list[bytes]) -> Imported:
    view = survey(folder, View())
    for table in view.tables:
        table.read_on(folder)
    taken = present = differing = 0
    now = time.time_ns()
    try:
        with packing(folder, samples, ()) as writer, closing(OpenSegments(folder)) as segments:
            for record in _read(file, data, now):
                there = _there(segments, view, record.head.key)
                if any(_covers(old.head, record.head) for old in there):
                    present += 1
                else:
                    writer.add(record)
                    taken += 1
                same = [o.raw for o in there if _answers(o.head, record.head.max_tokens)]
                differing += bool(same) and _text(record.raw) not in map(_text, same)
            if not taken:
                raise _NothingNewError
    except _NothingNewError:
        pass
    finally:
        view.close()
    return Imported(taken, present, differing)


def _there(segments: OpenSegments, view: View, key: bytes) -> list[Record]:
    """The records of a key."""
    frames = ((name, view.read(segments, name, offset)) for name, offset in view.find(key))
    return [
        Record(frame[0], view.raw(name, *frame))
        for name, frame in frames
        if frame and frame[0].key == key
    ]


def _text(raw: bytes) -> str:
    return read_body(raw)[0]


def _read(file: Path, data: BinaryIO, committed: int = 0) -> Iterator[Record]:
    """The records of an export, each checked; raises at its end if they are not all there."""
    data.seek(0)
    start = data.read(16)
    if start[:8] != _MAGIC:
        raise ExportError(f"{file}: not an export of a ledger")
    version = int.from_bytes(start[8:12], "little")
    if start != _header(version):
        raise ExportError(f"{file}: its header is damaged")
    if version != VERSION:
        raise ExportError(
            f"{file}: written by another Mashbill (export format {version}, this one knows"
            f" {VERSION}); to update, type: pip install -U mashbill"
        )
    size = os.fstat(data.fileno()).st_size
    most = FREE_BYTES + RATIO * size
    digest = blake2b(digest_size=16)
    count, last = 0, b""
    unpack = zstandard.ZstdDecompressor(max_window_size=1 << 27)
    try:
        with unpack.stream_reader(data, closefd=False, read_across_frames=True) as stream:
            while (tag := _take(stream, 1)) == b"R":
                head = _take(stream, _RECORD.size)
                key, prompt, completion, limit, finish, length = _RECORD.unpack(head)
                most -= _RECORD.size + length
                if length > LARGEST_RECORD or most < 0:
                    raise ExportError(f"{file}: it expands to more than an export can hold")
                raw = _take(stream, length)
                if key < last or finish >= len(FINISHES):
                    raise ExportError(f"{file}: record {count + 1:,} is not a completion")
                _check(raw)
                digest.update(head + raw)
                count, last = count + 1, key
                yield Record(
                    Head(key, 0, committed, prompt, completion, limit, FINISHES[finish], 0), raw
                )
            total, wanted = _END.unpack(_take(stream, _END.size))
            whole = tag == b"E" and total == count and wanted == digest.digest()
            if not whole or stream.read(1):
                raise ExportError(f"{file}: it is damaged; nothing was imported")
    except (zstandard.ZstdError, EOFError) as error:
        raise ExportError(f"{file}: it is damaged or cut short; nothing was imported") from error
    except (ValueError, TypeError, KeyError, struct.error, RecursionError) as error:
        raise ExportError(f"{file}: record {count + 1:,} is not a completion") from error


def _take(stream: zstandard.ZstdDecompressionReader, size: int) -> bytes:
    """So many bytes. Raises `EOFError` if there are fewer."""
    parts, left = [], size
    while left:
        part = stream.read(min(left, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _check(raw: bytes) -> None:
    """Whether a body reads as one. Raises `ValueError`, `TypeError` or `struct.error`."""
    _, (seed, engine, model, made, seconds, extra) = read_body(raw)
    good = (
        type(seed) is int
        and all(isinstance(word, str) for word in (engine, model))
        and all(type(n) in (int, float) for n in (made, seconds))
        and isinstance(extra, dict)
        and all(isinstance(v, str) for v in extra.values())
    )
    if not good:
        raise ValueError("not the facts of a completion")


def _header(version: int) -> bytes:
    number = version.to_bytes(4, "little")
    return _MAGIC + number + blake2b(_MAGIC + number, digest_size=4).digest()
