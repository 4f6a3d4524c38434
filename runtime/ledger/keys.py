"""The key of a request: what makes two model calls the same call."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import fields
from hashlib import blake2b
from typing import Any

from ..requests import Request

KEY_BYTES = 16
SCHEME = b"mashbill-key-1"
"""Never change it lightly: under another scheme no record that was paid for is found again."""

NOT_IDENTITY = ("max_tokens",)
"""Sampling fields that stand in the record instead of the key."""


def key_of(request: Request) -> bytes:
    """Digest what decides a reply, to 16 bytes (BLAKE2b; 128 bits, so 1e9 draws do not collide).

    In the key: the model's digest, roles and contents of all messages, the draw, and every sampling
    field that is set, `max_tokens` excepted. A field that is None is left out, so a field added to
    `Sampling` later with None as its default leaves old keys as they are.

    Not in the key: `max_tokens`, because a reply that ended by itself is the reply under any limit
    that it fits; `seed`, because it is derived from the recipe's seed and this key, and no engine
    promises the same text for the same seed, so with it a new recipe seed would only pay twice for
    draws that are as good; and where or how fast the model runs.
    """
    sampling = tuple(
        (f.name, value)
        for f in sorted(fields(request.sampling), key=lambda f: f.name)
        if f.name not in NOT_IDENTITY and (value := getattr(request.sampling, f.name)) is not None
    )
    messages = tuple((m.role, m.content) for m in request.messages)
    digest = blake2b(digest_size=KEY_BYTES, person=SCHEME)
    for part in _canonical((request.model, messages, sampling, request.draw)):
        digest.update(part)
    return digest.digest()


def _canonical(value: Any) -> Iterator[bytes]:
    """Encode strings, numbers and tuples of them so that no two values share an encoding.

    A whole float is written as an integer: a recipe's `temperature: 1` and `1.0` are one setting.
    """
    if isinstance(value, str):
        data = value.encode("utf-8", "surrogatepass")
        yield b"s" + struct.pack("<Q", len(data))
        yield data
    elif isinstance(value, tuple):
        yield b"t" + struct.pack("<Q", len(value))
        for item in value:
            yield from _canonical(item)
    elif isinstance(value, float) and not value.is_integer():
        yield b"f" + struct.pack("<d", value)
    elif isinstance(value, int | float):
        digits = b"%d" % int(value)
        yield b"i" + struct.pack("<Q", len(digits)) + digits
    else:
        raise TypeError(f"a request cannot be keyed by a {type(value).__name__}")
