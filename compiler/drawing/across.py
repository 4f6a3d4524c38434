"""A picture as lines of text from left to right, each chain of steps on a row of its own.

A chain is a row: a step goes on the row of the first thing it reads, unless another step stands
there already. Where rows part there is an upright line behind the step that is read; where they
meet there is one before the step that reads. Uprights never share a column where they overlap, and
never cross a name; where an upright passes over a row that it has nothing to do with, the row is
drawn as passing below it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .picture import Arrow, Picture
from .words import words_of

MOST = 200
"""Vertices beyond which a picture would be no help to the eye."""

_LEFT, _RIGHT, _UP, _DOWN = 1, 2, 4, 8
_GLYPHS = " ───│┘└┴│┐┌┬│┤├┼"
"""By the sum of the sides that are joined."""


def draw_across(picture: Picture, width: int) -> str | None:
    """The picture as text; None if it does not fit into so many columns."""
    if not picture.vertices or len(picture.vertices) > MOST:
        return None
    for checks in (3, 1, 0):  # as many of their names as there is room for
        layout = _Layout(_boxes(picture, checks))
        if layout.place(width):
            return layout.text()
    return None


@dataclass(slots=True, eq=False)
class _Box:
    """A name on a row; `start` is its first column, `end` the one past its last."""

    text: str
    reads: list[_Box]
    row: _Row = field(init=False)
    start: int = 0
    end: int = 0
    part: _Upright | None = None
    """Where its rows part, behind it."""
    meet: _Upright | None = None
    """Where the rows that it reads meet, before it."""
    arrivals: list[tuple[_Box, _Row]] = field(default_factory=list)
    """What meets there: who is read, and the row on which its rows come."""

    @property
    def exit(self) -> int:
        """The first column behind it where an upright may stand."""
        return self.part.column + 2 if self.part else self.end + 2


@dataclass(slots=True, eq=False)
class _Row:
    """A chain of boxes, or a lane that one arrow has for itself; `number` counts from the top."""

    boxes: list[_Box] = field(default_factory=list)
    below: list[_Row] = field(default_factory=list)
    number: int = -1
    left: bool = False
    """Whether an arrow leaves by its end."""


@dataclass(slots=True, eq=False)
class _Upright:
    """A vertical line that joins rows."""

    rows: list[_Row]
    column: int = -1

    @property
    def span(self) -> range:
        numbers = [row.number for row in self.rows]
        return range(min(numbers), max(numbers) + 1)


def _boxes(picture: Picture, checks: int) -> list[_Box]:
    """Vertices in topological order, and arrows that carry a label as boxes of their own."""
    arriving: dict[str, list[Arrow]] = {}
    for arrow in picture.arrows:
        arriving.setdefault(arrow.end, []).append(arrow)
    made: dict[str, _Box] = {}
    boxes: list[_Box] = []
    for vertex in picture.vertices:
        reads = []
        for arrow in arriving.get(vertex.key, ()):
            box = made[arrow.start]
            if arrow.label:
                box = _Box(arrow.label, [box])
                boxes.append(box)
            reads.append(box)
        made[vertex.key] = _Box(words_of(vertex, checks), reads)
        boxes.append(made[vertex.key])
    return boxes


class _Layout:
    """Boxes on rows, and the lines between them."""

    def __init__(self, boxes: list[_Box]) -> None:
        self.boxes = boxes
        self.roots: list[_Row] = []
        for box in boxes:
            self._give_row(box)
        for box in boxes:
            self._give_uprights(box)
        self.rows = [row for root in self.roots for row in _downward(root)]
        for number, row in enumerate(self.rows):
            row.number = number
        self.uprights: list[_Upright] = []

    def _give_row(self, box: _Box) -> None:
        row = next((b.row for b in box.reads if b.row.boxes[-1] is b), None)
        if row is None:
            row = self._new_row(box.reads[0].row if box.reads else None)
        row.boxes.append(box)
        box.row = row

    def _new_row(self, above: _Row | None) -> _Row:
        row = _Row()
        (above.below if above else self.roots).append(row)
        return row

    def _give_uprights(self, box: _Box) -> None:
        at = box.row.boxes.index(box)
        before = box.row.boxes[at - 1] if at else None
        if before is None and box.reads:
            before = box.reads[0]
            _part(before, box.row)
        for read in box.reads:
            if read is before:
                continue
            row = read.row
            if row.boxes[-1] is read and not row.left:
                row.left = True
            else:
                row = self._new_row(read.row)
                _part(read, row)
            box.arrivals.append((read, row))
        if box.arrivals:
            box.meet = _Upright([box.row, *(row for _, row in box.arrivals)])

    def place(self, width: int) -> bool:
        """Give every box and upright its column; whether all of it fits."""
        for box in self.boxes:
            start = 0
            for read in box.reads:
                start = max(start, read.exit + 1)
            if box.meet:
                start = self._stand(box.meet, start - 1) + 3
            elif any(read.part for read in box.reads):
                start = max(start, max(r.part.column for r in box.reads if r.part) + 3)
            size = len(box.text)
            while any(
                start - 1 <= u.column <= start + size and box.row.number in u.span
                for u in self.uprights
            ):
                start += 1
            box.start, box.end = start, start + size
            if box.end > width:
                return False
            if box.part:
                self._stand(box.part, box.end + 2)
        return True

    def _stand(self, upright: _Upright, column: int) -> int:
        """Put an upright into the first column from here on where nothing is in its way."""
        span = upright.span
        others = [
            u.column for u in self.uprights if u.span.start < span.stop and span.start < u.span.stop
        ]
        names = [(b.start - 1, b.end) for n in span for b in self.rows[n].boxes if b.end]
        while column in others or any(start <= column <= end for start, end in names):
            column += 1
        upright.column = column
        self.uprights.append(upright)
        return column

    def text(self) -> str:
        """The lines, joined."""
        width = max(max(b.end for b in self.boxes), *(u.column + 1 for u in self.uprights), 0)
        sides = [[0] * width for _ in self.rows]
        for row, first, last, starts, ends in self._lines():
            for column in range(first, last + 1):
                sides[row][column] |= _LEFT * (column > first or not starts)
                sides[row][column] |= _RIGHT * (column < last or not ends)
        for upright in self.uprights:
            joined = {row.number for row in upright.rows}
            span = upright.span
            for row in span:
                own = _UP * (row > span.start) | _DOWN * (row < span.stop - 1)
                before = sides[row][upright.column] if row in joined else 0
                sides[row][upright.column] = before | own
        grid = [[_GLYPHS[side] for side in row] for row in sides]
        for box in self.boxes:
            grid[box.row.number][box.start : box.end] = box.text
        return "\n".join("".join(row).rstrip() for row in grid)

    def _lines(self) -> Iterator[tuple[int, int, int, bool, bool]]:
        """Level lines: row, first and last column, and whether an upright ends them there."""
        for box in self.boxes:
            arriving = {id(read) for read, _ in box.arrivals}
            for read in box.reads:
                if id(read) in arriving:
                    continue
                if read.row is box.row:
                    yield box.row.number, read.end + 1, box.start - 2, False, False
                elif read.part:
                    yield box.row.number, read.part.column, box.start - 2, True, False
            for read, row in box.arrivals:
                assert box.meet
                if row is read.row:
                    yield row.number, read.end + 1, box.meet.column, False, True
                elif read.part:
                    yield row.number, read.part.column, box.meet.column, True, True


def _part(box: _Box, row: _Row) -> None:
    """Let rows of a box part to another row too."""
    if box.part is None:
        box.part = _Upright([box.row])
    box.part.rows.append(row)


def _downward(row: _Row) -> Iterator[_Row]:
    """A row, and all that part from it."""
    yield row
    for other in row.below:
        yield from _downward(other)
