"""The table of steps: one where the terminal has room, else rows and spending apart.

In this order until it fits: everything in one table; in it, wide intervals, then all, on lines of
their own below their numbers (`grid.MODES`); the same without reasons, where all steps are new; a
table of rows and one of what is spent; spending in several tables. Reasons and names are cut,
numbers never are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..estimating.numbers import Number
from .grid import Column, Row, fit, squeeze
from .measures import Measure
from .numerals import EMPTY, NONE, Cell, cell
from .subject import Step, Subject

EXPECTED, INTERVAL, WORST, BUDGET = "expected", "90% interval", "worst case", "budget"
_STEP = Column("step", words=True, least=len(INTERVAL), middle=True)
_WHY = Column("why", words=True, least=len("new source"))
_ROWS = (Column("rows in"), Column("out", lead="→ "))


def table(subject: Subject, width: int) -> list[str]:
    """The steps and what they spend, and below them the totals."""
    steps, measures = subject.shown, subject.measures if subject.total else ()
    if subject.estimates is None:
        return squeeze((_STEP, _WHY), [Row(_named(s), s.symbol) for s in steps], width)
    readable = replace(_STEP, least=20), replace(_WHY, least=16)
    columns = [*readable, *_ROWS, *(Column(m.head) for m in measures)]
    every = [Row((*_named(s), *flow_of(s), *spent_of(s, measures)), s.symbol) for s in steps]
    every += _totals(subject, measures, empty=3)
    if lines := fit(columns, every, width):
        return lines
    if all(step.symbol == "+" for step in steps):  # where all are new, reasons tell nothing
        named = [replace(row, cells=(row.cells[0], *row.cells[2:])) for row in every]
        if lines := fit([columns[0], *columns[2:]], named, width):
            return lines
    lines = _flows(steps, width)
    return [*lines, "", *_spending(subject, measures, width)] if measures else lines


def parted(key: Column, columns: Sequence[Column], rows: Sequence[Row], width: int) -> list[str]:
    """A table of numbers, in several with the same first column where it is too wide."""
    lines = fit((key, *columns), rows, width)
    if lines or len(columns) == 1:
        return lines or squeeze((key, *columns), rows, width)
    half = 3 if len(columns) > 3 else len(columns) // 2
    return [
        *parted(key, columns[:half], [_only(r, slice(1, half + 1)) for r in rows], width),
        "",
        *parted(key, columns[half:], [_only(r, slice(half + 1, None)) for r in rows], width),
    ]


def cells_of(subject: Subject) -> Iterable[Cell]:
    """All numbers of the tables, for the legend."""
    if subject.estimates is None or not subject.shown:
        return
    measures = subject.measures if subject.total else ()
    for step in subject.shown:
        yield from (*flow_of(step), *spent_of(step, measures))
    for row in _totals(subject, measures, empty=0):
        yield from row.cells[1:]


def totals(subject: Subject, measures: Sequence[Measure]) -> list[tuple[str, list[Cell]]]:
    """The rows below the steps: expected, its interval, the worst case, and what may be spent."""
    spent = subject.total
    if spent is None or not measures:
        return []
    numbers = [m.of(spent) for m in measures]
    rows = [(EXPECTED, [m.cell(n, spread=False) for m, n in zip(measures, numbers, strict=True)])]
    if any(number.interval for number in numbers):
        ends = [Cell(m.interval(n)) for m, n in zip(measures, numbers, strict=True)]
        rows.append((INTERVAL, ends))
    rows.append((WORST, [m.cell(m.worst_of(spent), spread=False) for m in measures]))
    caps = [None if subject.selected else m.cap_of(subject.caps) for m in measures]
    if any(cap is not None for cap in caps):
        shown = zip(measures, caps, strict=True)
        rows.append((BUDGET, [Cell(NONE if c is None else m.show(c)) for m, c in shown]))
    return rows


def _totals(subject: Subject, measures: Sequence[Measure], empty: int) -> list[Row]:
    between = (EMPTY,) * empty
    rows = [
        Row((Cell(name), *between, *cells), kind="whole" if name == INTERVAL else "plain")
        for name, cells in totals(subject, measures)
    ]
    rule = Row((EMPTY, *between, *(Cell(NONE) for _ in measures)), kind="rule")
    return [rule, *rows] if rows else []


def _only(row: Row, numbers: slice) -> Row:
    """The first cell of a row and some of the others."""
    return replace(row, cells=(row.cells[0], *row.cells[numbers]))


def _flows(steps: Sequence[Step], width: int) -> list[str]:
    """Steps, why, and their rows: in two tables where even that is too wide."""
    every = [Row((*_named(s), *flow_of(s)), s.symbol) for s in steps]
    if lines := fit((_STEP, _WHY, *_ROWS), every, width):
        return lines
    reasons = [Row(_named(s), s.symbol) for s in steps]
    flows = [Row((Cell(s.name), *flow_of(s)), s.symbol) for s in steps]
    return [
        *squeeze((_STEP, _WHY), reasons, width), "", *squeeze((_STEP, *_ROWS), flows, width)
    ]  # fmt: skip


def _spending(subject: Subject, measures: Sequence[Measure], width: int) -> list[str]:
    """What is spent, in as few tables as there is room for."""
    rows = [Row((Cell(s.name), *spent_of(s, measures)), s.symbol) for s in subject.shown if s.asks]
    rows += _totals(subject, measures, empty=0)
    return parted(_STEP, [Column(m.head) for m in measures], rows, width)


def _named(step: Step) -> tuple[Cell, Cell]:
    return Cell(step.name), Cell(step.why)


def flow_of(step: Step) -> tuple[Cell, Cell]:
    """Rows in, whose interval stands at the step they come from, and rows out."""
    if step.node is None:
        return EMPTY, EMPTY
    if step.estimate is None:
        return Cell("?"), Cell("?")
    into = EMPTY if step.node.stage == "scan" else cell(step.estimate.rows_in, spread=False)
    return into, cell(step.estimate.rows_out)


def spent_of(step: Step, measures: Sequence[Measure]) -> list[Cell]:
    """What a step spends; dashes where it asks nobody."""
    if step.node is None:
        return [EMPTY] * len(measures)
    if step.spending is None:
        unknown: Number | None = Number(None, "?") if step.asks else None
        return [m.cell(unknown) for m in measures]
    return [m.cell(m.of(step.spending)) for m in measures]
