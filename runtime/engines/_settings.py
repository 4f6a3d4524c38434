"""Read an engine's placement settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from ..requests import EngineError
from .base import ModelSpec

T = TypeVar("T")

_DURATION = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(ms|s|m|h)?\s*")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def whole(spec: ModelSpec, name: str, default: int, *, least: int = 1) -> int:
    """A whole number of at least `least`. Raises `EngineError` for anything else."""
    value = _given(spec, name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise _wrong(spec, name, value, f"a whole number from {least} on")
    return value


def share(spec: ModelSpec, name: str, default: float) -> float:
    """A number from 0 to 1. Raises `EngineError` for anything else."""
    value = _given(spec, name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise _wrong(spec, name, value, "a share from 0 to 1")
    return float(value)


def seconds(spec: ModelSpec, name: str, default: float, *, bare: str = "s") -> float:
    """A duration in seconds, from `50ms`, `0.05s`, `2m` or a bare number in the unit `bare`."""
    value = _given(spec, name)
    if value is None:
        return default
    found = None if isinstance(value, bool) else _DURATION.fullmatch(str(value))
    if found is None:
        raise _wrong(spec, name, value, "a duration, such as 50ms or 2s")
    return float(found[1]) * _SECONDS[found[2] or bare]


def word(spec: ModelSpec, name: str) -> str | None:
    """A text, or None. Raises `EngineError` for anything else."""
    value = _given(spec, name)
    if value is not None and not isinstance(value, str):
        raise _wrong(spec, name, value, "a text")
    return value


def one_of(spec: ModelSpec, name: str, values: Mapping[str, T], default: str) -> T:
    """The value that a text names. Raises `EngineError` for any other text."""
    chosen = word(spec, name) or default
    if chosen not in values:
        raise _wrong(spec, name, chosen, f"one of {', '.join(values)}")
    return values[chosen]


def _given(spec: ModelSpec, name: str) -> Any:
    return dict(spec.placement).get(name)


def _wrong(spec: ModelSpec, name: str, value: object, wanted: str) -> EngineError:
    return EngineError(
        "placement",
        f"models.{spec.name}.placement.{name} is {value!r}; give {wanted}",
        retryable=False,
    )
