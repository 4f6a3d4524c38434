"""Lines of a terminal: tables whose columns fit, and paragraphs behind a label."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from .figure import Figure

INDENT = 3
LABEL = 13
GAPS = (3, 2, 1)
LEAST = 6
"""Columns that a name keeps when a table has to be narrower."""


def table(rows: Sequence[Sequence[str]], width: int, *, left: int = 1) -> Iterator[str]:
    """Rows with aligned columns, the first `left` to the left and the others to the right.

    Columns that are empty in all rows but the first are left out. Where it is too wide, the gaps
    shrink first, then the names in the first column.
    """
    used = [i for i in range(len(rows[0])) if any(row[i] for row in rows[1:])]
    sizes = [max(len(row[i]) for row in rows) for i in used]
    room = width - INDENT - sum(sizes)
    gap = next((g for g in GAPS if g * (len(sizes) - 1) <= room), GAPS[-1])
    over = gap * (len(sizes) - 1) - room
    sizes[0] = min(sizes[0], max(LEAST, sizes[0] - over))
    for row in rows:
        cells = [
            cut(row[i], size).ljust(size) if i < left else row[i].rjust(size)
            for i, size in zip(used, sizes, strict=True)
        ]
        yield (" " * INDENT + (" " * gap).join(cells)).rstrip()


def paragraph(label: str, text: str, width: int) -> Iterator[str]:
    """Text behind a label, wrapped to the right of it."""
    head = " " * INDENT + label.ljust(LABEL)
    rest = " " * (INDENT + LABEL)
    yield from textwrap.wrap(
        text, width, initial_indent=head, subsequent_indent=rest, break_on_hyphens=False
    )


def cut(text: str, size: int) -> str:
    """A name, shortened where it is too long."""
    return text if len(text) <= size else f"{text[: size - 1]}…"


def banded(shown: str, figure: Figure, low: str, high: str) -> str:
    """A number with its band behind it, where it has one that shows."""
    return shown if figure.band is None or low == high else f"{shown} [{low}–{high}]"
