"""Identity of rows.

`_doc` is a stable digest of source, declared key and text (`sources/`). `_id` adds the occurrence
and, for derived rows, what was done and which draw: the step's rule and not its name, so that
renaming a step or sharing its calls changes no row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xxhash

OWN = ("_doc", "_id", "_source", "_origin")
"""Mashbill's own columns on every row."""

ORDER = "_order"
"""Position of a row's document in its source: partition and ordinal. Never in the output."""


def derived_id(parent: str, rule: str, draw: int) -> str:
    """`_id` of a row that a step made from another: 32 hex digits of xxh3-128."""
    return xxhash.xxh3_128_hexdigest(f"{parent}\x00{rule}\x00{draw}".encode())


def uniform(seed: int, *words: str) -> int:
    """A 64-bit hash that decides order and sampling: xxh3-64 of seed and words."""
    return xxhash.xxh3_64_intdigest("\x00".join((str(seed), *words)).encode())


def derive(row: Mapping[str, Any], rule: str, draw: int, **changes: Any) -> dict[str, Any]:
    """A row made from another: its columns, changes laid over them, and an `_id` of its own."""
    return {**row, **changes, "_id": derived_id(str(row["_id"]), rule, draw)}
