"""Parameter types that several operators share, and how a recipe writes each.

An operator names them in its signature (`chunk: Chunk | None = None`); `binding.py` turns what the
recipe says into plain JSON, which is what the operator's function is called with.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .schema import (
    CHECKS_SCHEMA,
    CHUNK_SCHEMA,
    COLUMNS_SCHEMA,
    JSON_SCHEMA,
    LADDER_SCHEMA,
    SAMPLING_SCHEMA,
    SWAP_SCHEMA,
    UNTIL_SCHEMA,
)


class Sampling:
    """Bound to `{"temperature": 0.6, …}`: the model's sampling with the step's laid over it."""

    __schema__: dict[str, Any] = SAMPLING_SCHEMA


class Chunk:
    """Bound to `{"by": "sentence" | "paragraph", "max": tokens}`."""

    __schema__: dict[str, Any] = CHUNK_SCHEMA


class Until:
    """Bound to `{"accepted", "pilot"}` or `{"vote", "agree", "compare", "take", "drop"}`."""

    __schema__: dict[str, Any] = UNTIL_SCHEMA


class JsonSchema:
    """Bound to the text of a JSON Schema."""

    __schema__: dict[str, Any] = JSON_SCHEMA


class Columns:
    """Bound to a list of columns."""

    __schema__: dict[str, Any] = COLUMNS_SCHEMA

    def __iter__(self) -> Iterator[str]:
        """The columns."""
        raise NotImplementedError


class Swap:
    """Bound to a list of two columns."""

    __schema__: dict[str, Any] = SWAP_SCHEMA

    def __iter__(self) -> Iterator[str]:
        """The two columns."""
        raise NotImplementedError


class Checks:
    """Bound to a list of `{"name", "kind", "version", "params"}`, in canonical order."""

    __schema__: dict[str, Any] = CHECKS_SCHEMA


class Ladder:
    """Bound to a list of rungs: `{"rung": "retry", "times", "sampling", "for"}` or a last one."""

    __schema__: dict[str, Any] = LADDER_SCHEMA
