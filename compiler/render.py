"""A report as terminal text: each diagnostic with its source lines, carets and what to type."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

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
_TAB = 4
_FIXABLE = "  [*] fixable"
_ELLIPSIS = "…"


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
    shown = report.diagnostics if limit is None else report.diagnostics[:limit]
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
        yield f"{head}{self.paint(f': {clean(d.message)}', 'bold')}"
        files = self.places(d)
        gutter = self.gutter(files)
        for number, (file, labels) in enumerate(files):
            if number:
                yield self.bar(gutter)
            yield from self.place(file, labels, d, gutter, first=not number)
        if len(files) > 1 and (d.notes or d.help or d.fix):
            yield self.bar(gutter)
        for note in d.notes:
            yield self.remark(gutter, "note", note)
        if d.help or d.fix:
            words = d.help or "this can be mended"
            yield self.remark(gutter, "help", words + (_FIXABLE if d.fix else ""))

    def places(self, d: Diagnostic) -> list[tuple[str, list[tuple[Label, str]]]]:
        """What to mark, by file: that of the diagnostic first, the others in their order."""
        found: dict[str, list[tuple[Label, str]]] = {}
        labels = [(label, "-") for label in d.secondary]
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
        return head + clean(words).replace("\n", f"\n{'':{gutter + 5 + len(kind)}}")

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
            here = tuple(m for m in marks if m.line == line)
            yield self.source(text, line, gutter, room, here)
            for mark in here:
                for row in _underline(text.line(line), mark, here, room):
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


def _window(line: str, marks: tuple[_Mark, ...], room: int) -> _Window:
    cells = [_cell(char) for char in line]
    edges = [0]
    for cell in cells:
        edges.append(edges[-1] + display_width(cell))
    if edges[-1] <= room:
        return _Window("".join(cells), tuple(edges))
    # Keep what is marked in sight, with a third of the room before it.
    start = min((m.start for m in marks), default=0)
    left = max(0, edges[min(start, len(cells))] - room // 3)
    if left <= 1 or edges[min(max((m.end for m in marks), default=0), len(cells))] <= room - 1:
        left = 0
    left = min(left, edges[-1] - room + 1)
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
    words = clean(mark.text)
    if not words or len(row) + 1 + display_width(words) <= room:
        yield f"{row} {words}".rstrip()
        return
    yield row
    yield " " * max(0, min(start, room - display_width(words))) + words


def _cell(char: str) -> str:
    """What stands for a character of the source, so that no text can steer the terminal."""
    if char == "\t":
        return " " * _TAB
    if char == "\ufeff":
        return ""
    return char if _harmless(char) else "\ufffd"


def _harmless(char: str) -> bool:
    """Whether a character is only drawn: no control, no change of direction, no odd blank."""
    return char.isprintable() or char == "\u3000"


def display_width(text: str) -> int:
    """Terminal columns of a text: two for a wide character, none for a combining one.

    >>> display_width("ab日本")
    6
    """
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.combining(c) or unicodedata.category(c) in ("Mn", "Me", "Cf")
        else 2
        if unicodedata.east_asian_width(c) in "WF"
        else 1
        for c in text
    )


def clean(text: str) -> str:
    """A message with nothing in it that could steer the terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in "\n " or _harmless(c) else "\ufffd" for c in text)
