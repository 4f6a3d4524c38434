"""A plan told: `explain` for the terminal, `markdown` for pull requests, `plan_json` for programs.

All three tell the same `Told`; see `tests/explaining/golden` for what it looks like.
"""

from __future__ import annotations

from .export import plan_json
from .markdown import markdown
from .subject import Last, PilotSpent
from .text import explain
from .told import Told

__all__ = ["Last", "PilotSpent", "Told", "explain", "markdown", "plan_json"]
