"""Writing packs; see `packs.py`."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import BinaryIO

import orjson
import xxhash
import zstandard

from .entries import read_facts
from .framing import Head, reframe
from .layout import new_name, pack_path, replacing
from .packs import DICT, FOOT, MAGIC, START, VERSION, Models, digest_of, short_digest
from .segments import Extent
from .sorted_keys import ENTRY, ENTRY_BYTES

_LEVEL = 6
_DICT_BYTES = 1 << 15
SAMPLES = 1 << 10
"""Records that the dictionary is trained on."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record on its way into a pack: its head, and its body expanded."""

    head: Head
    raw: bytes


class PackWriter:
    """Writes records, which come in the order of their keys. Made by `packing`."""

    def __init__(self, file: BinaryIO, index: BinaryIO, name: str, dictionary: bytes) -> None:
        self.name = name
        self.completions = 0
        self.models: Models = Counter()
        self._prompt_tokens = self._completion_tokens = 0
        self._file, self._index, self._dict = file, index, dictionary
        self._digest = xxhash.xxh3_64()
        start = START.pack(MAGIC, VERSION, 0)[:-4]
        file.write(start + struct.pack("<I", short_digest(start)) + _framed(dictionary))
        self._frames = self._end = file.tell()
        self._last = b""
        known = zstandard.ZstdCompressionDict(dictionary)
        self._compress = zstandard.ZstdCompressor(level=_LEVEL, dict_data=known).compress

    def add(self, record: Record) -> None:
        """Add a record. Raises `ValueError` if its key is out of order."""
        if record.head.key < self._last:
            raise ValueError("records of a pack come in the order of their keys")
        self._last = record.head.key
        head, data = reframe(record.head, self._compress(record.raw))
        entry = ENTRY.pack(head.key, self._end)
        self._index.write(entry)
        self._digest.update(entry)
        self._file.write(data)
        self._end += len(data)
        self.completions += 1
        self._prompt_tokens += head.prompt_tokens
        self._completion_tokens += head.completion_tokens
        count_models(self.models, record)

    def finish(self, replaces: Iterable[str]) -> None:
        """Write what follows the frames."""
        self._index.seek(0)
        while part := self._index.read(1 << 20):
            self._file.write(part)
        tokens = (self._prompt_tokens, self._completion_tokens)
        extent = Extent(self.name, self._end, self.completions, *tokens)
        table = orjson.dumps(
            {
                "frames": self._frames,
                "extent": astuple(extent),
                "replaces": sorted(replaces),
                "models": [[*names, n] for names, n in sorted(self.models.items())],
            }
        )
        second = self._end + self.completions * ENTRY_BYTES + len(table)
        self._file.write(table + _framed(self._dict))
        foot = FOOT.pack(
            MAGIC,
            VERSION,
            len(table),
            second,
            self._end,
            self.completions,
            self._digest.intdigest(),
            digest_of(table),
            0,
        )[:-8]
        self._file.write(foot + struct.pack("<Q", digest_of(foot)))


@contextmanager
def packing(folder: Path, samples: list[bytes], replaces: Iterable[str]) -> Iterator[PackWriter]:
    """Write a pack, which appears whole and durable when the block ends, or not at all.

    Args:
        folder: Of the ledger.
        samples: Expanded bodies like those that will come; the dictionary is made of them.
        replaces: Segments and packs whose records it holds, so far as they are kept.

    Raises:
        OSError: If it cannot be written.
    """
    name = new_name()
    path = pack_path(folder, name)
    with replacing(path) as file, _spare(path) as index:
        writer = PackWriter(file, index, name, train(samples))
        yield writer
        writer.finish(replaces)


@contextmanager
def _spare(path: Path) -> Iterator[BinaryIO]:
    """A file beside another that has no name, so that it goes with the process."""
    draft = path.with_name(f".{path.name}.keys.tmp")
    with draft.open("w+b") as file:
        draft.unlink()
        yield file


def train(samples: list[bytes]) -> bytes:
    """A dictionary for records like these; empty if they are too few or too short to learn from."""
    # It stands in the pack twice, so it must be small beside what it saves.
    size = min(_DICT_BYTES, sum(map(len, samples)) // 16)
    if len(samples) < 16 or size < 256:
        return b""
    try:
        made = zstandard.train_dictionary(size, [*samples], k=64, d=8, level=_LEVEL)
    except zstandard.ZstdError:
        return b""
    return bytes(made.as_bytes())


def count_models(models: Models, record: Record) -> None:
    """Add a record to the counts of its model."""
    (_, engine, model, *_), _ = read_facts(record.raw)
    models[(engine, model, "n")] += 1
    models[(engine, model, "in")] += record.head.prompt_tokens
    models[(engine, model, "out")] += record.head.completion_tokens


def _framed(dictionary: bytes) -> bytes:
    return DICT.pack(len(dictionary), digest_of(dictionary)) + dictionary
