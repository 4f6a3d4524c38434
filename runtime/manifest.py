"""Digests of a source's files: what data a plan was made for, whatever the files are called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import xxhash

from .sources.formats import format_of
from .sources.spec import File, Named

WHOLE = 256 << 20
"""Files up to this many bytes are hashed whole; larger ones by size and blocks from all over."""
BLOCK = 1 << 20
BLOCKS = 64


FOOTER = 64 << 20
"""The longest Parquet footer that is hashed; it names the size and range of every column chunk."""


def digest_source(files: Sequence[Named], format: str | None = None) -> str:
    """Digest of what a source's files give, in their order. Raises `OSError`.

    Names count only where they do to the rows: the format that a suffix says, and the path of a
    file that is a row.
    """
    kinds = [format_of(f.path, format) for f in files]
    if all(not kind.module for kind in kinds):
        return digest_files(f.path for f in files)
    total = xxhash.xxh3_128()
    for file, kind in zip(files, kinds, strict=True):
        total.update(f"{kind.name}\n{file.name if kind.joins else ''}\n".encode())
        total.update(_digest(file.path))
    return total.hexdigest()


def digest_files(files: Iterable[File]) -> str:
    """xxh3-128 over the contents of files, in their order. Raises `OSError`.

    Of a file at an address that is not fetched for this: its size and stamp.
    """
    total = xxhash.xxh3_128()
    for file in files:
        total.update(_digest(file))
    return total.hexdigest()


def _digest(file: File) -> bytes:
    if isinstance(file, Path):
        return _digest_file(file)
    return xxhash.xxh3_128_digest(f"{file.size}\n{file.stamp}".encode())


def _digest_file(file: Path) -> bytes:
    size = file.stat().st_size
    found = xxhash.xxh3_128(str(size).encode())
    with file.open("rb") as data:
        if size <= WHOLE:
            while block := data.read(BLOCK):
                found.update(block)
        else:
            for i in range(BLOCKS):
                data.seek((size - BLOCK) * i // (BLOCKS - 1))
                found.update(data.read(BLOCK))
            data.seek(size - 8)
            tail = data.read(8)
            length = int.from_bytes(tail[:4], "little")
            if tail[4:] == b"PAR1" and length <= min(FOOTER, size - 8):
                data.seek(size - 8 - length)
                found.update(data.read(length))
    return found.digest()
