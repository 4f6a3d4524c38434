"""What checks are shown of a row: no long text that none of them looks at.

A document of many chunks is shown to its checks once a chunk; with its whole text in each row, that
would cost the square of its length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

LONG = 4096
"""Characters; a shorter text is never left out."""


def looked_at(checks: Sequence[Mapping[str, Any]], ladder: Sequence[Mapping[str, Any]] = ()) -> str:
    """Words among which every column stands that a check or a repair reads, for `lean`.

    A check reads the columns that its parameters name, and those that its operator declares; its
    prompts, and those of repairs, are among the parameters.
    """
    from .catalog import load_catalog

    known = load_catalog().checks
    declared = [known[c["kind"]].reads for c in checks if c["kind"] in known]
    prompts = [rung.get("prompt") for rung in ladder]
    return repr([[c["params"] for c in checks], declared, prompts])


def lean(row: Mapping[str, Any], words: str) -> dict[str, Any]:
    """A row without its long texts whose names do not stand in `words`."""
    return {
        name: value
        for name, value in row.items()
        if not isinstance(value, str) or len(value) <= LONG or name in words
    }
