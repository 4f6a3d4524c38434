"""Write small GGUF headers for tests."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any


def gguf(meta: Mapping[str, Any], *, version: int = 3) -> bytes:
    """A GGUF file without tensors."""
    pairs = b"".join(_text(k) + _value(v) for k, v in meta.items())
    return b"GGUF" + struct.pack("<IQQ", version, 0, len(meta)) + pairs


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _value(value: Any) -> bytes:
    kind, raw = _typed(value)
    return struct.pack("<I", kind) + raw


def _typed(value: Any) -> tuple[int, bytes]:
    if isinstance(value, bool):
        return 7, struct.pack("<?", value)
    if isinstance(value, int):
        return 4, struct.pack("<I", value)
    if isinstance(value, float):
        return 12, struct.pack("<d", value)
    if isinstance(value, str):
        return 8, _text(value)
    items = [_typed(v) for v in value]
    kind = items[0][0] if items else 4
    return 9, struct.pack("<IQ", kind, len(items)) + b"".join(raw for _, raw in items)
