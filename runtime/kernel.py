"""What a `map` step is at run time: a function over a whole frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

REASON = "_reason"
"""Column that names why a row was rejected."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """A frame after a map step.

    Attributes:
        kept: Rows that go on, in their order.
        rejected: Rows that do not, as they came in, with a `_reason` column; None for none.
    """

    kept: pl.DataFrame
    rejected: pl.DataFrame | None = None


Kernel = Callable[["pl.DataFrame"], Mapped]
