"""A report as terminal text: each diagnostic with its source lines, carets and what to type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

from .cells import cell, clean, display_width, wrapped
from .diagnostics import Diagnostic, Label, Report, Severity, Span
from .formats import render_github, render_json
from .places import Lines

__all__ = ["clean", "display_width", "render", "render_github", "render_json", "summary"]

_COLOURS: dict[str, str] = {
    "error": "1;31",
    "warning": "1;33",
    "note": "1;36",
    "bold": "1",
    "gutter": "1;34",
}
SECRET = "G704"
_FIXABLE = "  [*] fixable"
_ELLIPSIS = "…"
PLACES = 8
"""Further places of one diagnostic that are shown; JSON has them all."""


RANKS = ("error", "warning", "note")


def render(
    report: Report, *, colour: bool = False, width: int = 80, limit: int | None = None
) -> str:
    """All diagnostics of a report and its closing line.

    Args:
        report: What to show.
        colour: Whether to write ANSI colours.
        width: Columns of the terminal; longer source lines are cut around what is marked.
        limit: Show only this many, and say how many more there are.

    Returns:
        Text without a line break at its end; empty for an empty report without a summary.
    """
    texts = {file: Lines(_masked(report, file)) for file in report.files}
    painter = _Painter(texts, colour, max(width, 40))
    # What stops a run comes first, whatever stands above it in the file.
    ranked = sorted(report.diagnostics, key=lambda d: RANKS.index(d.severity))
    shown = ranked if limit is None else ranked[:limit]
    blocks = ["\n".join(painter.diagnostic(d)) for d in shown]
    if hidden := len(report.diagnostics) - len(shown):
        blocks.append(f"… and {hidden} more")
    if closing := summary(report):
        blocks.append(closing)
    return "\n\n".join(blocks)


def summary(report: Report) -> str:
    """`Checked 1 recipe in 0.2 s: 2 errors, 1 warning (1 fixable with --fix)`."""
    if not report.diagnostics:
        return f"{report.summary}: no problems" if report.summary else ""
    parts = []
    for severity in ("error", "warning", "note"):
        if number := sum(d.severity == severity for d in report.diagnostics):
            parts.append(f"{number} {severity}{'s' if number > 1 else ''}")
    counts = ", ".join(parts)
    if fixable := sum(bool(d.fix) for d in report.diagnostics):
        counts += f" ({fixable} fixable with --fix)"
    return f"{report.summary}: {counts}" if report.summary else counts


def _masked(report: Report, file: str) -> str:
    """The text of a file with its secrets starred out, since reports end up in logs."""
    text = report.files[file]
    for d in report.diagnostics:
        if d.code == SECRET and d.span and d.span.file == file:
            start, end = d.span.start, d.span.end
            text = text[:start] + "*" * (end - start) + text[end:]
    return text


@dataclass(frozen=True, slots=True)
class _Mark:
    """Columns of one line to underline, from 0, counted in characters of the line."""

    line: int
    start: int
    end: int
    text: str
    sign: str


@dataclass(frozen=True, slots=True)
class _Painter:
    texts: Mapping[str, Lines]
    colour: bool
    width: int

    def paint(self, text: str, style: str) -> str:
        return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if self.colour and text else text

    def diagnostic(self, d: Diagnostic) -> Iterator[str]:
        severity: Severity = d.severity
        head = self.paint(f"{severity}[{d.code}]", severity)
        message = clean(d.message).replace("\n", " ")
        yield head + self.paint(f": {message}", "bold")
        files = self.places(d)
        gutter = self.gutter(files)
        for number, (file, labels) in enumerate(files):
            if number:
                yield self.bar(gutter)
            yield from self.place(file, labels, d, gutter, first=not number)
        if len(files) > 1 and (d.notes or d.help or d.fix):
            yield self.bar(gutter)
        if (hidden := len(d.secondary) - PLACES) > 0:
            yield self.remark(gutter, "note", f"and {hidden:,} more place{'s' * (hidden > 1)}")
        for note in d.notes:
            yield self.remark(gutter, "note", note)
        if d.help or d.fix:
            words = d.help or "this can be mended"
            yield self.remark(gutter, "help", words + (_FIXABLE if d.fix else ""))

    def places(self, d: Diagnostic) -> list[tuple[str, list[tuple[Label, str]]]]:
        """What to mark, by file: that of the diagnostic first, the others in their order."""
        found: dict[str, list[tuple[Label, str]]] = {}
        labels = [(label, "-") for label in d.secondary[:PLACES]]
        if d.span:
            labels.insert(0, (Label(d.span, d.label), "^"))
        for label, sign in labels:
            found.setdefault(label.span.file, []).append((label, sign))
        return list(found.items())

    def gutter(self, files: list[tuple[str, list[tuple[Label, str]]]]) -> int:
        last = 0
        for file, labels in files:
            if text := self.texts.get(file):
                last = max(last, *(text.at(label.span.end)[0] + 1 for label, _ in labels))
        return max(2, len(str(last)))

    def bar(self, gutter: int, rest: str = "", number: str = "") -> str:
        head = self.paint(f"{number:>{gutter}} |", "gutter")
        return f"{head} {rest}" if rest else head

    def remark(self, gutter: int, kind: str, words: str) -> str:
        head = f"{'':{gutter}} {self.paint('=', 'gutter')} {self.paint(kind, 'bold')}: "
        indent = gutter + 5 + len(kind)
        return head + f"\n{'':{indent}}".join(wrapped(clean(words), self.width - indent))

    def place(
        self, file: str, labels: list[tuple[Label, str]], d: Diagnostic, gutter: int, first: bool
    ) -> Iterator[str]:
        arrow = self.paint("-->" if first else ":::", "gutter")
        text = self.texts.get(file)
        if text is None:
            yield f"  {arrow} {clean(file)}"
            return
        line, column = text.at(labels[0][0].span.start)
        yield f"  {arrow} {clean(file)}:{line + 1}:{column + 1}"
        yield self.bar(gutter)
        style = d.severity if first else "gutter"
        yield from self.snippet(text, labels, gutter, style)

    def snippet(
        self, text: Lines, labels: list[tuple[Label, str]], gutter: int, style: str
    ) -> Iterator[str]:
        marks = [m for label, sign in labels for m in _marks(text, label, sign)]
        lines = sorted({m.line for m in marks})
        room = self.width - gutter - 3
        for at, line in enumerate(lines):
            if at and line == lines[at - 1] + 2:
                yield self.source(text, line - 1, gutter, room, ())
            elif at and line > lines[at - 1] + 2:
                yield self.paint("...", "gutter")
            here = (m for m in marks if m.line == line)
            for group in _groups(text.line(line), here, room):
                yield self.source(text, line, gutter, room, group)
                for mark in group:
                    for row in _underline(text.line(line), mark, group, room):
                        painted = self.paint(row, style if mark.sign == "^" else "gutter")
                        yield self.bar(gutter, painted)

    def source(
        self, text: Lines, line: int, gutter: int, room: int, marks: tuple[_Mark, ...]
    ) -> str:
        shown = _window(text.line(line), marks, room).text
        return self.bar(gutter, shown.rstrip(), str(line + 1))


def _marks(text: Lines, label: Label, sign: str) -> Iterator[_Mark]:
    """The underlines of a label: one, or the first and last line of a longer stretch."""
    span: Span = label.span
    (first, start), (last, end) = text.at(span.start), text.at(max(span.start, span.end))
    if last > first and end == 0:
        last, end = last - 1, len(text.line(last - 1))
    if first == last:
        yield _Mark(first, start, max(end, start + 1), label.text, sign)
        return
    yield _Mark(first, start, max(len(text.line(first)), start + 1), "", sign)
    line = text.line(last)
    indent = len(line) - len(line.lstrip())
    yield _Mark(last, min(indent, end), max(end, indent + 1), label.text, sign)


@dataclass(frozen=True, slots=True)
class _Window:
    """The part of a line that is shown; `columns[i]` is where its character `i` is displayed."""

    text: str
    columns: tuple[int, ...]


def _groups(line: str, marks: Iterable[_Mark], room: int) -> list[tuple[_Mark, ...]]:
    """Marks of one line that can be seen together; a line is shown once for each group."""
    edges = _edges([cell(char) for char in line])
    groups: list[tuple[_Mark, ...]] = []
    for mark in marks:
        for at, group in enumerate(groups):
            begin, end = _stretch(edges, (*group, mark))
            if edges[-1] <= room or end - begin <= room - 2:
                groups[at] = (*group, mark)
                break
        else:
            groups.append((mark,))
    return groups


def _stretch(edges: list[int], marks: tuple[_Mark, ...]) -> tuple[int, int]:
    """Where, in columns of the whole line, marks begin and end."""
    last = len(edges) - 1
    begin = min((min(m.start, last) for m in marks), default=0)
    return edges[begin], edges[max((min(m.end, last) for m in marks), default=0)]


def _edges(cells: list[str]) -> list[int]:
    """Where each cell begins, in columns, and where the last one ends."""
    return [0, *accumulate(map(display_width, cells))]


def _window(line: str, marks: tuple[_Mark, ...], room: int) -> _Window:
    cells = [cell(char) for char in line]
    edges = _edges(cells)
    if edges[-1] <= room:
        return _Window("".join(cells), tuple(edges))
    begin, end = _stretch(edges, marks)
    # Keep what is marked in sight, its beginning first, with a third of the room before it.
    left = min(max(begin - room // 3, end - room + 2), begin - 1, edges[-1] - room + 1)
    if left <= 1 or end <= room - 1:
        left = 0
    head = _ELLIPSIS if left else ""
    first = next(i for i, edge in enumerate(edges) if edge >= left + len(head) or not left)
    last = first
    while last < len(cells) and edges[last + 1] - edges[first] + len(head) <= room - 1:
        last += 1
    tail = _ELLIPSIS if last < len(cells) else ""
    shift = edges[first] - len(head)
    high = len(head) + edges[last] - edges[first] + len(tail)
    columns = tuple(min(max(edge - shift, 0), high) for edge in edges)
    return _Window(head + "".join(cells[first:last]) + tail, columns)


def _underline(line: str, mark: _Mark, marks: tuple[_Mark, ...], room: int) -> Iterator[str]:
    columns = _window(line, marks, room).columns
    past = columns[-1]
    start = columns[mark.start] if mark.start < len(columns) else past
    end = columns[mark.end] if mark.end < len(columns) else past
    row = " " * start + mark.sign * max(1, end - start)
    words = clean(mark.text).replace("\n", " ")
    if not words or len(row) + 1 + display_width(words) <= room:
        yield f"{row} {words}".rstrip()
        return
    yield row
    lines = wrapped(words, room)
    indent = max(0, min(start, room - max(map(display_width, lines))))
    yield from (f"{'':{indent}}{line}" for line in lines)
