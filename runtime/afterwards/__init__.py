"""Afterwards: what was estimated beside what happened, and what each error is owed to."""

from __future__ import annotations

from .compare import compare
from .spent import spent_by_step

__all__ = ["compare", "spent_by_step"]
