"""What a Parquet file says of itself in its footer: its rows, and the bytes of its columns.

The footer is a Thrift structure in the compact protocol (apache/parquet-format, parquet.thrift;
apache/thrift, doc/specs/thrift-compact-protocol.md). polars counts rows by it, but does not show
the sizes of columns, and takes milliseconds a file.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAGIC = b"PAR1"
TAIL = 64 << 10
"""Bytes that are read of a file's end at first: most footers lie in them."""
DEPTH = 32
_STOP, _TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = (
    0,
    1,
    2,
    3,
    7,
    8,
    9,
    10,
    11,
    12,
)
# Fields of parquet.thrift.
_NUM_ROWS, _ROW_GROUPS = 3, 4
_COLUMNS, _META = 1, 3
_PATH, _VALUES, _UNPACKED = 3, 5, 6


class NoFooterError(ValueError):
    """A file has no footer, or none that can be read."""


@dataclass(frozen=True, slots=True)
class Footer:
    """What a footer says.

    Attributes:
        rows: Rows of the file.
        length: Bytes of the footer.
        sizes: By column (`meta.body` for a nested one), bytes of its pages before compression.
            Empty if they were not asked for.
    """

    rows: int
    length: int
    sizes: Mapping[str, int] = field(default_factory=dict)


def read_footer(path: Path, *, longest: int) -> Footer:
    """Read a file's footer; sizes only if it has at most `longest` bytes.

    Raises:
        NoFooterError: It has none that can be read.
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL))
        tail = file.read()
        if size < 12 or not tail.endswith(MAGIC):
            raise NoFooterError("no Parquet magic at its end")
        length = int(struct.unpack("<I", tail[-8:-4])[0])
        if length + 8 > size:
            raise NoFooterError("its footer is longer than the file")
        if length + 8 > len(tail):
            file.seek(size - length - 8)
            tail = file.read(length + 8)
    try:
        last = _ROW_GROUPS if length <= longest else _NUM_ROWS
        meta = _Compact(tail[-8 - length : -8]).struct(last)
        rows = int(meta[_NUM_ROWS])
        return Footer(rows, length, _sizes(meta.get(_ROW_GROUPS, ())))
    except (IndexError, KeyError, TypeError, AttributeError, UnicodeDecodeError, struct.error) as e:
        raise NoFooterError("its footer is damaged") from e


def _sizes(groups: Any) -> dict[str, int]:
    found: defaultdict[str, int] = defaultdict(int)
    for group in groups:
        for chunk in group[_COLUMNS]:
            meta = chunk[_META]
            found[b".".join(meta[_PATH]).decode()] += meta[_UNPACKED]
    return dict(found)


class _Compact:
    """A reader of Thrift's compact protocol: structures as dicts by field number."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def struct(self, last: int = 1 << 15, depth: int = 0) -> dict[int, Any]:
        """A structure, up to and with a field."""
        if depth > DEPTH:
            raise NoFooterError("its footer is damaged")
        found: dict[int, Any] = {}
        number = 0
        while (head := self._byte()) & 15 != _STOP:
            number = number + (head >> 4) if head >> 4 else self._signed()
            if number > last:
                break
            found[number] = self._value(head & 15, depth)
        return found

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (_TRUE, _FALSE):
            return kind == _TRUE
        if kind == _BYTE:
            return self._byte()
        if kind < _DOUBLE:
            return self._signed()
        if kind == _DOUBLE:
            return self._take(8)
        if kind == _BINARY:
            return self._take(self._varint())
        if kind in (_LIST, _SET):
            return self._list(depth)
        if kind == _STRUCT:
            return self.struct(depth=depth + 1)
        raise NoFooterError("its footer is damaged")

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        count, kind = head >> 4, head & 15
        if count == 15:
            count = self._varint()
        if kind in (_TRUE, _FALSE):
            return list(self._take(count))
        return [self._value(kind, depth) for _ in range(count)]

    def _byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def _take(self, count: int) -> bytes:
        self.at += count
        if self.at > len(self.data):
            raise IndexError
        return self.data[self.at - count : self.at]

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 128:
            value |= (byte & 127) << shift
            shift += 7
        return value | byte << shift

    def _signed(self) -> int:
        value = self._varint()
        return value >> 1 ^ -(value & 1)
