"""Entries for tests of the ledger."""

from __future__ import annotations

import hashlib
from typing import Any

from mashbill.runtime.ledger import Entry


def key(i: int) -> bytes:
    """The key of case `i`."""
    return hashlib.blake2b(b"%d" % i, digest_size=16).digest()


def entry(i: int, **changes: Any) -> Entry:
    """A finished completion of 5 tokens, whose text tells which it is."""
    facts: dict[str, Any] = {
        "key": key(i),
        "text": f"reply {i} " + hashlib.sha256(b"%d" % i).hexdigest() * (i % 4),
        "finish": "stop",
        "prompt_tokens": 3,
        "completion_tokens": 5,
        "max_tokens": 64,
        "seed": i,
    }
    return Entry(**(facts | changes))
