"""Identity: canonical JSON and the digest of it.

A step's fingerprint is the digest of its resolved definition, its operator's version, the versions
of the packages that change its results, and the fingerprints of what it reads. Timestamps, paths,
comments, key order, concurrency and placement never enter.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    if value is None or isinstance(value, str | int):  # most are, and the rest asks more
        return value
    if isinstance(value, Mapping):
        return {str(k): _settled(v) for k, v in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(_settled(v) for v in value)
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_settled(v) for v in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def hash_input(
    op: str,
    version: int,
    definition: Mapping[str, Any],
    packages: Mapping[str, str],
    inputs: Iterable[str],
) -> dict[str, Any]:
    """What a step's fingerprint is the digest of; stored with every run, so that `why` can compare.

    Args:
        op: The operator.
        version: Its version.
        definition: Resolved and canonical, without what follows from the rest of it.
        packages: Versions of the packages that change its results.
        inputs: `fingerprint.port` of each input.
    """
    return {
        "op": op,
        "version": version,
        "definition": dict(definition),
        "packages": dict(packages),
        "inputs": sorted(inputs),
    }


Difference = tuple[str, Any, Any]
"""A dotted path, and what stood and what stands there; None where there is nothing."""


def differences(old: Any, new: Any, path: str = "") -> Iterator[Difference]:
    """All places at which two JSON values differ, in the order of their keys.

    A key that only one of them has is one place, and so are lists of unlike lengths.
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            inner = f"{path}.{key}" if path else str(key)
            if key in old and key in new:
                yield from differences(old[key], new[key], inner)
            else:
                yield inner, old.get(key), new.get(key)
    elif isinstance(old, list | tuple) and isinstance(new, list | tuple) and len(old) == len(new):
        for i, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from differences(a, b, f"{path}[{i}]")
    elif canonical(old) != canonical(new):
        yield path, old, new


def difference(old: Any, new: Any) -> Difference | None:
    """The first place at which two JSON values differ; None if they are equal."""
    return next(differences(old, new), None)
