"""A share that was counted, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass

from ...compiler.worth.intervals import wilson

Z95 = 1.959963984540054
"""Standard deviations that a 95 % interval reaches to either side."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many were kept of so many."""

    kept: int
    of: int

    @property
    def share(self) -> float | None:
        """Between 0 and 1; None where nothing was counted."""
        return self.kept / self.of if self.of else None

    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the share by Wilson's score; (0, 1) where nothing was counted."""
        return wilson(self.kept, self.of, Z95)
