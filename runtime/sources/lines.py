"""Lines of plain, gzip and zstd files in bounded memory, however broken the file is."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

BLOCK = 1 << 20
"""Bytes that are unpacked at once."""

MAX_LINE = 64 << 20
"""A longer line is unreadable."""

BOM = b"\xef\xbb\xbf"
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"

Packing = Literal["plain", "gzip", "zstd"]


class DamagedError(Exception):
    """A packed file cannot be read further."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that could not be read at all.

    Attributes:
        line: Counted from 1.
        reason: What is wrong.
        raw: What there is of it, its first bytes.
    """

    line: int
    reason: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive lines.

    Attributes:
        first: Number of the first one, from 1.
        lines: Without their line feeds.
        fault: A line after them that is unreadable.
        done: Bytes of the file on disk that have been read so far.
    """

    first: int
    lines: list[bytes]
    fault: Fault | None
    done: int


def packing(path: Path) -> Packing:
    """How a file is packed: told by its first bytes, since names lie."""
    with path.open("rb") as file:
        head = file.read(4)
    if head.startswith(GZIP):
        return "gzip"
    return "zstd" if head == ZSTD else "plain"


def read_blocks(path: Path) -> Iterator[Block]:
    """All lines of a file.

    A line ends at a line feed; the last one may lack it. A byte order mark is dropped. A packed
    file that is cut short or damaged gives every whole line before the damage, then a fault.

    Raises:
        OSError: The file cannot be read.
    """
    number, size, skipping, done = 1, 0, False, 0
    kept: list[bytes] = []
    try:
        for piece, done in _pieces(path):
            head, *rest = piece.split(b"\n")
            if not rest:
                kept, size, fault = _extend(kept, size, head, number, skipping)
                skipping = skipping or fault is not None
                if fault:
                    yield Block(number, [], fault, done)
                continue
            if not skipping and size + len(head) > MAX_LINE:
                yield Block(number, [], _too_long(number, kept, head), done)
                skipping = True
            if skipping:
                number, lines = number + 1, rest
            else:
                lines = [b"".join((*kept, head)), *rest]
            last = lines.pop()
            yield Block(number, lines, None, done)
            number += len(lines)
            kept, size, skipping = [last], len(last), False
    except DamagedError as error:
        yield Block(number, [], Fault(number, str(error), b"".join(kept)[:200]), done)
        return
    if size and not skipping:
        yield Block(number, [b"".join(kept)], None, done)


def _extend(
    kept: list[bytes], size: int, head: bytes, number: int, skipping: bool
) -> tuple[list[bytes], int, Fault | None]:
    """Take a piece without a line end; forget a line that has become too long."""
    if skipping:
        return [], 0, None
    if size + len(head) > MAX_LINE:
        return [], 0, _too_long(number, kept, head)
    kept.append(head)
    return kept, size + len(head), None


def _too_long(number: int, kept: list[bytes], head: bytes) -> Fault:
    start = b"".join((*(k[:200] for k in kept[:2]), head[:200]))[:200]
    return Fault(number, f"line is longer than {MAX_LINE >> 20} MB", start)


def _pieces(path: Path) -> Iterator[tuple[bytes, int]]:
    """Unpacked bytes, each with the count of bytes read from disk so far."""
    kind = packing(path)
    with path.open("rb") as file:
        unpacked = {"plain": _plain, "gzip": _gzip, "zstd": _zstd}[kind](file)
        start = BOM
        for whole, done in unpacked:
            # What a few packed bytes become can be large; in pieces, no line is overlooked.
            for at in range(0, len(whole), BLOCK):
                piece = whole[at : at + BLOCK]
                yield piece.removeprefix(start), done
                start = b""


def unpacked(path: Path) -> Iterator[bytes]:
    """What a file holds, piece by piece, without its byte order mark.

    Raises:
        DamagedError: It is packed and damaged, after the pieces before the damage.
        OSError: It cannot be read.
    """
    return (piece for piece, _ in _pieces(path))


def _plain(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    done = 0
    while piece := file.read(BLOCK):
        done += len(piece)
        yield piece, done


def _gzip(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Members one after another; zero padding after the last is allowed."""
    unpacker, done, fresh = zlib.decompressobj(31), 0, False
    while packed := file.read(BLOCK >> 2):
        done += len(packed)
        while packed:
            if fresh:
                packed = packed.lstrip(b"\0")
                if not packed:
                    break
                unpacker, fresh = zlib.decompressobj(31), False
            try:
                piece = unpacker.decompress(packed, BLOCK)
            except zlib.error:
                raise DamagedError("gzip data is damaged") from None
            packed = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
            fresh = unpacker.eof
            yield piece, done - len(packed)
    if not fresh:
        raise DamagedError("gzip file is cut short")


def _zstd(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    import zstandard

    unpacker, done, fresh = zstandard.ZstdDecompressor().decompressobj(), 0, True
    # Small inputs, since a call unpacks all it is given: a frame of zeros grows 30,000 times.
    while packed := file.read(4096):
        done += len(packed)
        while packed:
            if unpacker.eof:
                unpacker = zstandard.ZstdDecompressor().decompressobj()
            try:
                piece = unpacker.decompress(packed)
            except zstandard.ZstdError:
                raise DamagedError("zstd data is damaged") from None
            packed = unpacker.unused_data if unpacker.eof else b""
            fresh = unpacker.eof
            yield piece, done - len(packed)
    if not fresh:
        raise DamagedError("zstd file is cut short")
