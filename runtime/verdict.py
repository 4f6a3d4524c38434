"""What a check says of a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Pass or fail, with evidence.

    Attributes:
        passed: Whether the row passes.
        reason: One stable word to count rejections by (`number_lost`); empty when it passes.
        evidence: What shows it, short and JSON-like: `{"lost": ["1903"]}`.
        calls: Keys of the completions, in hex, that a check which asks a model rests on.
    """

    passed: bool
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    calls: tuple[str, ...] = ()


Check = Callable[[Row], Verdict]
"""A built check: reads the columns it was told, judges one row. Pure, and picklable by its spec."""
