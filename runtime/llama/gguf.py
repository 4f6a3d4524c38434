"""Read the metadata of a GGUF file: the header's key-values, never the tensors."""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCALARS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_STRING, _ARRAY = 8, 9


class GgufError(ValueError):
    """A file that is not a whole GGUF file of version 2 or 3, little-endian."""


def read_metadata(path: Path) -> dict[str, Any]:
    """The key-values of a GGUF header.

    Layout: the GGUF specification in the ggml project (`docs/gguf.md`), versions 2 and 3.

    Raises:
        GgufError: If the file is something else, or ends before its header does.
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        try:
            view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as empty:
            raise GgufError(f"{path} is empty") from empty
        with view:
            try:
                return _header(_Cursor(view))
            except (struct.error, RecursionError) as short:
                raise GgufError(f"{path} is not a whole GGUF file") from short
            except GgufError as wrong:
                raise GgufError(f"{path} {wrong}") from None


@dataclass(slots=True)
class _Cursor:
    data: mmap.mmap
    at: int = 0

    def take(self, code: str, count: int = 1) -> tuple[Any, ...]:
        size = struct.calcsize(f"<{code}") * count
        if self.at + size > len(self.data):
            raise struct.error
        values = struct.unpack_from(f"<{count}{code}", self.data, self.at)
        self.at += size
        return values

    def text(self) -> str:
        (size,) = self.take("Q")
        if self.at + size > len(self.data):
            raise struct.error
        raw = self.data[self.at : self.at + size]
        self.at += size
        return raw.decode("utf-8", errors="replace")


def _header(cursor: _Cursor) -> dict[str, Any]:
    if cursor.data[:4] != b"GGUF":
        raise GgufError("is not a GGUF file")
    cursor.at = 4
    (version,) = cursor.take("I")
    if version not in (2, 3):
        raise GgufError("is a GGUF file of a version or byte order that is not supported")
    _tensors, pairs = cursor.take("Q", 2)
    found: dict[str, Any] = {}
    for _ in range(pairs):
        key = cursor.text()
        (kind,) = cursor.take("I")
        found[key] = _value(cursor, kind)
    return found


def _value(cursor: _Cursor, kind: int) -> Any:
    if kind == _STRING:
        return cursor.text()
    if kind == _ARRAY:
        (item,) = cursor.take("I")
        (count,) = cursor.take("Q")
        if item in _SCALARS:
            return list(cursor.take(_SCALARS[item], count))
        return [_value(cursor, item) for _ in range(count)]
    if kind not in _SCALARS:
        raise GgufError("holds a value of an unknown type")
    return cursor.take(_SCALARS[kind])[0]
