"""Tables in terminal columns: numbers keep their pieces under each other, words are cut to fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ..cells import display_width
from .numerals import Cell

GAP = "  "
MARGIN = 3
"""Columns before a table: a blank, the symbol of a step, a blank."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        head: Its name.
        words: Whether it holds words, to the left, cut where there is no room; else numbers.
        lead: What stands before each of its numbers: an arrow.
        least: Columns of the terminal that words keep.
        middle: Whether words are cut in their middle: names differ at their ends.
    """

    head: str
    words: bool = False
    lead: str = ""
    least: int = 8
    middle: bool = False


Kind = Literal["plain", "whole", "rule"]
"""Of a row: numbers in their pieces, text that takes the whole of a column, a line of dashes."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row: a cell for each column, and a symbol before it."""

    cells: tuple[Cell, ...]
    symbol: str = " "
    kind: Kind = "plain"


Mode = Literal["beside", "wide", "tight", "below"]
"""Where intervals stand: beside their numbers; wide ones on a line of their own below them; that,
and letters without a blank before them; all below."""
MODES: tuple[Mode, ...] = ("beside", "wide", "tight", "below")
"""From the clearest to the narrowest."""


@dataclass(frozen=True, slots=True)
class _Pieces:
    """A cell as a mode sets it: what is set to the right, what stands beside it, what below."""

    value: str
    beside: str = ""
    below: str = ""


@dataclass(frozen=True, slots=True)
class _Size:
    """Terminal columns that a column takes: in all, and of these for what stands beside values."""

    whole: int
    beside: int = 0


def fit(columns: Sequence[Column], rows: Sequence[Row], width: int) -> list[str] | None:
    """The lines of a table in the clearest form that fits; None where none does.

    Args:
        columns: Its columns.
        rows: Its rows.
        width: Columns of the terminal.
    """
    drawn = (draw(columns, rows, width, mode) for mode in MODES)
    return next((lines for lines in drawn if lines is not None), None)


def squeeze(columns: Sequence[Column], rows: Sequence[Row], width: int) -> list[str]:
    """The same, with words cut as far as it takes, and at the very last the lines."""
    narrow = [replace(column, least=1) for column in columns]
    lines = fit(columns, rows, width) or fit(narrow, rows, width)
    return lines or [cut(line, width) for line in draw(narrow, rows, 10**6, "below") or ()]


def draw(
    columns: Sequence[Column], rows: Sequence[Row], width: int, mode: Mode
) -> list[str] | None:
    """The lines of a table; None where it does not fit."""
    table = [[_pieces(cell, row, mode) for cell in row.cells] for row in rows]
    sizes = [_size(c, i, table, rows) for i, c in enumerate(columns)]
    words = [i for i, column in enumerate(columns) if column.words]
    fixed = sum(size.whole for i, size in enumerate(sizes) if i not in words)
    gaps = sum(len(_gap(c)) + len(c.lead) for c in columns) - len(_gap(columns[0]))
    wanted = [(sizes[i].whole, columns[i].least) for i in words]
    fitting = _fit(wanted, width - MARGIN - gaps - fixed)
    if fitting is None:
        return None
    for i, size in zip(words, fitting, strict=True):
        sizes[i] = _Size(size)
    lines = [_heads(columns, sizes)]
    for row, cells in zip(rows, table, strict=True):
        lines.append(_line(columns, sizes, cells, row.symbol, row.kind))
        if any(cell.below for cell in cells):
            below = [_Pieces(cell.below) for cell in cells]
            lines.append(_line(columns, sizes, below, " ", "whole"))
    return lines


def cut(text: str, size: int) -> str:
    """Words in at most so many columns, the last an ellipsis where something is missing."""
    if display_width(text) <= size:
        return text
    while text and display_width(text) > size - 1:
        text = text[:-1]
    return f"{text}…" if size > 0 else ""


def cut_middle(text: str, size: int) -> str:
    """The same, with both ends left."""
    if len(text) <= size or size < 5:
        return cut(text, size)
    tail = (size - 1) // 2
    return f"{text[: size - 1 - tail]}…{text[-tail:]}"


def pad(text: str, size: int) -> str:
    """Words, and blanks up to so many columns."""
    return text + " " * (size - display_width(text))


def _gap(column: Column) -> str:
    return " " if column.lead else GAP


def _pieces(cell: Cell, row: Row, mode: Mode) -> _Pieces:
    if row.kind != "plain":
        return _Pieces(cell.value)
    beside = mode == "beside" or (mode != "below" and not cell.spread.startswith("["))
    parts = [cell.spread if beside else "", cell.letter]
    joined = ("" if mode == "tight" else " ").join(filter(None, parts))
    return _Pieces(cell.value, joined and f" {joined}", "" if beside else cell.spread)


def _size(column: Column, i: int, table: Sequence[Sequence[_Pieces]], rows: Sequence[Row]) -> _Size:
    head, cells = len(column.head), [row[i] for row in table]
    if column.words:
        return _Size(max([head, *(display_width(cell.value) for cell in cells)]))
    plain = [cell for cell, row in zip(cells, rows, strict=True) if row.kind == "plain"]
    others = [cell for cell, row in zip(cells, rows, strict=True) if row.kind == "whole"]
    beside = max((len(c.beside) for c in plain), default=0)
    value = max((len(c.value) for c in plain), default=0)
    alone = [len(c.below) for c in plain] + [len(c.value) for c in others]
    return _Size(max([head, value + beside, *alone]), beside)


def _fit(wanted: Sequence[tuple[int, int]], room: int) -> list[int] | None:
    """Sizes of columns of words: the last are cut first; None where even the least do not fit."""
    sizes = [size for size, _ in wanted]
    for i in reversed(range(len(sizes))):
        over = sum(sizes) - room
        if over > 0:
            sizes[i] = max(min(sizes[i], wanted[i][1]), sizes[i] - over)
    return sizes if sum(sizes) <= room else None


def _heads(columns: Sequence[Column], sizes: Sequence[_Size]) -> str:
    line = " " * MARGIN
    for i, (column, size) in enumerate(zip(columns, sizes, strict=True)):
        line += _gap(column) if i else ""
        if column.words or column.lead:
            line += pad(column.lead + column.head, size.whole + len(column.lead))
        else:
            line += column.head.rjust(size.whole)
    return line.rstrip()


def _line(
    columns: Sequence[Column],
    sizes: Sequence[_Size],
    cells: Sequence[_Pieces],
    symbol: str,
    kind: Kind,
) -> str:
    line = f" {symbol} "
    for i, (column, size, cell) in enumerate(zip(columns, sizes, cells, strict=True)):
        line += _gap(column) if i else ""
        if column.lead:
            line += column.lead if cell.value and kind == "plain" else " " * len(column.lead)
        if column.words:
            words = (cut_middle if column.middle else cut)(cell.value, size.whole)
            line += pad(words, size.whole)
        elif kind == "rule":
            line += "─" * size.whole if cell.value else " " * size.whole
        elif kind == "whole":
            line += cell.value.rjust(size.whole)
        else:
            line += cell.value.rjust(size.whole - size.beside) + cell.beside.ljust(size.beside)
    return line.rstrip()
