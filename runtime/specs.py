"""Checks of a definition as they travel: small, frozen and picklable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checkpool import CheckSpec


def check_specs(checks: Sequence[Mapping[str, Any]]) -> tuple[CheckSpec, ...]:
    """Checks of a definition, ready to judge by."""
    from .checkpool import CheckSpec

    return tuple(
        CheckSpec(
            c["name"],
            c["kind"],
            _pairs(c["params"]),
            _pairs({p: m["sampling"] for p, m in c.get("models", {}).items()}),
        )
        for c in checks
    )


def _pairs(values: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted((name, _frozen(value)) for name, value in values.items()))


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(v) for v in value)
    if isinstance(value, dict):
        return tuple(sorted((k, _frozen(v)) for k, v in value.items()))
    return value
