"""Numbers in [0, 1) from a stable hash: the same on every machine and with every version."""

from __future__ import annotations

from typing import Any

import xxhash

_SEEDS = 2**64


def unit(data: bytes, seed: int) -> float:
    """A number in [0, 1), uniform over data: the top 53 bits of xxh3-64 (all a float holds)."""
    return (xxhash.xxh3_64_intdigest(data, seed % _SEEDS) >> 11) / 2**53


def canonical(value: Any) -> bytes:
    """The bytes that stand for a plain value: its kind, its length, itself.

    Values that the language calls equal have equal bytes, so a column of whole numbers draws the
    same whether its file gave integers or floats. Parts that are strung together never run into
    one another.

    Raises:
        TypeError: For a value that is not bool, int, float, str or bytes.
    """
    match value:
        case bool():
            kind, body = b"b", b"1" if value else b"0"
        case int():
            kind, body = b"i", str(value).encode()
        case float() if value.is_integer():
            kind, body = b"i", str(int(value)).encode()
        case float():
            kind, body = b"f", repr(value).encode()
        case str():
            kind, body = b"s", value.encode()
        case bytes():
            kind, body = b"y", value
        case _:
            raise TypeError(f"no draw rests on a {type(value).__name__}")
    return kind + str(len(body)).encode() + b":" + body
