"""What a step asks for and gives, however that was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .numbers import Basis

if TYPE_CHECKING:
    from .chance import Array


@dataclass(frozen=True, slots=True)
class Made:
    """What unpaid rows ask for by model (calls, prompt, reply), and what all applied rows give."""

    asked: Mapping[str, tuple[Array | None, Array | None, Array | None]]
    rows: Array
    size: Array | None
    tokens: Array | None
    basis: Basis
    basis_calls: Basis
    basis_prompt: Basis
    basis_rows: Basis
