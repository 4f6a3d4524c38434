"""Identity: canonical JSON and the digest of it.

A step's fingerprint is the digest of its resolved definition, its operator's version, the versions
of the packages that change its results, and the fingerprints of what it reads. Timestamps, paths,
comments, key order, concurrency and placement never enter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

SCHEME = "mashbill-identity-1"


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces; floats that are whole numbers are written as such."""
    return json.dumps(_settled(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: Any) -> str:
    """Blake2b-128 of the canonical JSON, as 32 hex digits."""
    text = f"{SCHEME}\n{canonical(value)}"
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _settled(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _settled(v) for k, v in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(_settled(v) for v in value)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_settled(v) for v in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def difference(old: Any, new: Any, path: str = "") -> tuple[str, Any, Any] | None:
    """The first place at which two JSON values differ: dotted path, old and new; None if equal."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            inner = f"{path}.{key}" if path else str(key)
            if key not in old or key not in new:
                return inner, old.get(key), new.get(key)
            if found := difference(old[key], new[key], inner):
                return found
        return None
    if isinstance(old, list | tuple) and isinstance(new, list | tuple) and len(old) == len(new):
        for i, (a, b) in enumerate(zip(old, new, strict=True)):
            if found := difference(a, b, f"{path}[{i}]"):
                return found
        return None
    return None if canonical(old) == canonical(new) else (path, old, new)
