"""What a GGUF file says of its model, read without its weights."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ..models import cache_folder
from .gguf import read_metadata
from .tokenizer import ChatTokens, build_tokens


@dataclass(frozen=True, slots=True)
class Card:
    """What a file says of its model.

    Attributes:
        context: Its length in tokens, if the file says it.
        tokens: The tokenizer, if its kind is known.
        template: Whether the file holds a chat template.
    """

    context: int | None
    tokens: ChatTokens | None
    template: bool = True


def read_card(path: Path) -> Card:
    """Read once for a file as it lies on disk.

    Raises:
        GgufError: If it is not a GGUF file.
        OSError: If it cannot be read.
    """
    stat = path.stat()
    return _read(path.resolve(), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=4)
def _read(path: Path, _size: int, _mtime_ns: int) -> Card:
    meta = read_metadata(path)
    context = meta.get(f"{meta.get('general.architecture')}.context_length")
    return Card(
        context if isinstance(context, int) else None,
        build_tokens(meta),
        bool(meta.get("tokenizer.chat_template")),
    )


def weights_digest(path: Path) -> str:
    """BLAKE2b-128 of the whole file: weights, tokenizer and chat template are all inside.

    Kept in Mashbill's cache folder by path, size and time of change (nanoseconds), because a large
    file takes long to read; there and not beside the file, which may lie in a recipe's repository.
    """
    path = path.resolve()
    note = _note(path)
    stamp = _stamp(path)
    try:
        kept = json.loads(note.read_text())
        if kept["stamp"] == stamp:
            return str(kept["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    if _stamp(path) == stamp:
        _keep(note, json.dumps({"path": str(path), "stamp": stamp, "digest": digest}))
    return digest


def _note(path: Path) -> Path:
    name = hashlib.blake2b(os.fsencode(path), digest_size=16).hexdigest()
    return cache_folder() / "digests" / f"{name}.json"


def _stamp(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]


def _keep(note: Path, text: str) -> None:
    # A cache: where it cannot be written, the next process reads the file again.
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=note.parent, delete=False) as file:
            file.write(text)
        Path(file.name).replace(note)
    except OSError:
        return
