"""Digests of a source's files: what data a plan was made for, whatever the files are called."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import xxhash

WHOLE = 256 << 20
"""Files up to this many bytes are hashed whole; larger ones by size and blocks from all over."""
BLOCK = 1 << 20
BLOCKS = 64


def digest_files(files: Iterable[Path]) -> str:
    """xxh3-128 over the contents of files, in their order. Raises `OSError`."""
    total = xxhash.xxh3_128()
    for file in files:
        total.update(_digest_file(file))
    return total.hexdigest()


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
    return found.digest()
