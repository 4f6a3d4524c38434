"""Digests of a source's files: what data a plan was made for, whatever the files are called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import xxhash

from .sources.formats import Format, format_of
from .sources.spec import File, Named

WHOLE = 256 << 20
"""Files up to this many bytes are hashed whole; larger ones by size and blocks from all over."""
BLOCK = 1 << 20
BLOCKS = 64
SOURCE = 1 << 30
"""Sources up to this many bytes have all their files hashed; of larger ones, a part of each."""
SPOT, SPOTS = 64 << 10, 256 << 20
"""Bytes of a place that is hashed of a file of a larger source, and of all these places together:
a plan over 100 GB is to take seconds."""


FOOTER = 64 << 20
"""The longest Parquet footer that is hashed; it names the size and range of every column chunk."""


def digest_source(files: Sequence[Named], format: str | None = None) -> str:
    """Digest of what a source's files give, in their order. Raises `OSError`.

    Names count only where they do to the rows: the format that a suffix says, and the path of a
    file that is a row.
    """
    kinds = [format_of(f.path, format) for f in files]
    here = [f.path.stat().st_size for f in files if isinstance(f.path, Path)]
    if sum(here) > SOURCE:
        return _digest_large(files, kinds, max(2, SPOTS // SPOT // len(here)))
    if all(not kind.module for kind in kinds):
        return digest_files(f.path for f in files)
    total = xxhash.xxh3_128()
    for file, kind in zip(files, kinds, strict=True):
        total.update(f"{kind.name}\n{file.name if kind.joins else ''}\n".encode())
        total.update(_digest(file.path))
    return total.hexdigest()


def _digest_large(files: Sequence[Named], kinds: Sequence[Format], spots: int) -> str:
    """Of each file its size, places from all over, and what a Parquet footer says."""
    total = xxhash.xxh3_128()
    for file, kind in zip(files, kinds, strict=True):
        total.update(f"{kind.name}\n{file.name if kind.joins else ''}\n".encode())
        path = file.path
        part = _digest_spots(path, spots, SPOT) if isinstance(path, Path) else _digest(path)
        total.update(part)
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
    if size > WHOLE:
        return _digest_spots(file, BLOCKS, BLOCK)
    found = xxhash.xxh3_128(str(size).encode())
    with file.open("rb") as data:
        while block := data.read(BLOCK):
            found.update(block)
    return found.digest()


def _digest_spots(file: Path, spots: int, spot: int) -> bytes:
    size = file.stat().st_size
    found = xxhash.xxh3_128(str(size).encode())
    with file.open("rb") as data:
        if size <= spots * spot:
            found.update(data.read())
            return found.digest()
        for i in range(spots):
            data.seek((size - spot) * i // (spots - 1))
            found.update(data.read(spot))
        data.seek(size - 8)
        tail = data.read(8)
        length = int.from_bytes(tail[:4], "little")
        if tail[4:] == b"PAR1" and length <= min(FOOTER, size - 8):
            data.seek(size - 8 - length)
            found.update(data.read(length))
    return found.digest()
