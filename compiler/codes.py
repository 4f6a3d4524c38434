"""The table of diagnostics: one row a code. A code is never used for anything else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Code:
    """A row of the table.

    Attributes:
        slug: The name beside the code.
        severity: error, warning or note.
        explanation: What it means, why it is bad and what to write instead, in a few lines.
    """

    slug: str
    severity: Literal["error", "warning", "note"]
    explanation: str


CODES: dict[str, Code] = {
    "S001": Code("invalid-yaml", "error", "The file is not YAML."),
}
