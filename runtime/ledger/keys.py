"""The key of a request: what makes two model calls the same call."""

from __future__ import annotations

import struct
from dataclasses import fields
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from ..requests import Request, Sampling

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
    turns = request.messages
    parts = [_of(request.model), _tuple(len(turns))]
    for turn in turns:
        parts += (_TWO, _of(turn.role), _text(turn.content))
    parts += (_sampling(request.sampling), _of(request.draw))
    return blake2b(_FOUR + b"".join(parts), digest_size=KEY_BYTES, person=SCHEME).digest()


@lru_cache(maxsize=256)
def _sampling(sampling: Sampling) -> bytes:
    """The fields that are set; a run asks with a few of these and many messages."""
    return _encode(
        tuple(
            (f.name, value)
            for f in sorted(fields(sampling), key=lambda f: f.name)
            if f.name not in NOT_IDENTITY and (value := getattr(sampling, f.name)) is not None
        )
    )


def _encode(value: Any) -> bytes:
    """Encode strings, numbers and tuples of them so that no two values share an encoding.

    A whole float is written as an integer: a recipe's `temperature: 1` and `1.0` are one setting.
    """
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, tuple):
        return _tuple(len(value)) + b"".join(map(_encode, value))
    if isinstance(value, float) and not value.is_integer():
        return b"f" + struct.pack("<d", value)
    if isinstance(value, int | float):
        digits = b"%d" % int(value)
        return b"i" + _LENGTH.pack(len(digits)) + digits
    raise TypeError(f"a request cannot be keyed by a {type(value).__name__}")


def _text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return b"s" + _LENGTH.pack(len(data)) + data


def _tuple(length: int) -> bytes:
    return b"t" + _LENGTH.pack(length)


_LENGTH = struct.Struct("<Q")
_FOUR = _tuple(4)
"""A request is a tuple of model, messages, sampling and draw."""
_TWO = _tuple(2)
_of = lru_cache(maxsize=256)(_encode)
