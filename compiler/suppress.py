"""Comments that allow a diagnostic: `# mashbill: allow C501 — reason`, or `{# … #}` in a prompt.

A comment speaks of its own line, behind `key:` of all that stands below the key; one that stands
alone on a line speaks of the next line that is no comment. What allows nothing is itself reported,
so that it cannot hide a later diagnostic.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from .codes import CODES
from .diagnostics import Diagnostic, Edit, Span
from .nodes import Map, Node, Scalar, walk
from .places import Lines
from .suggest import nearest

_CODES = r"[A-Za-z]\d+(?:[\s,]+[A-Za-z]\d+)*"
_RECIPE = re.compile(rf"#[ \t]*mashbill:[ \t]*allow[ \t]+(?P<codes>{_CODES})[^\n]*")
_PROMPT = re.compile(rf"\{{#-?\s*mashbill:\s*allow\s+(?P<codes>{_CODES}).*?#\}}", re.DOTALL)
_CODE = re.compile(r"[A-Za-z]\d+")
SUPPRESSIBLE = frozenset({"P203"})
"""Errors that may be allowed; warnings and notes always may."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """A comment, and the line that it speaks of.

    Attributes:
        codes: What it allows, each with its place.
        span: The whole comment.
        line: First and last character of the line that it speaks of.
    """

    codes: tuple[tuple[str, Span], ...]
    span: Span
    line: tuple[int, int]


def suppress(
    diagnostics: Iterable[Diagnostic],
    files: Mapping[str, str],
    documents: Mapping[str, Node],
) -> tuple[Diagnostic, ...]:
    """Leave out what comments allow, and report comments that allow nothing.

    Args:
        diagnostics: All that was found.
        files: Text by name; names that end in `.j2` are prompts.
        documents: The YAML files among them, parsed: a `#` inside a value is no comment.
    """
    found = list(diagnostics)
    allowances = [
        a
        for file, text in files.items()
        if "mashbill:" in text
        for a in _allowances(file, text, documents.get(file))
    ]
    if not allowances:
        return tuple(found)
    used: set[Span] = set()
    lines = {file: Lines(text) for file, text in files.items()}
    by_line: dict[_Line, list[Allowance]] = {}
    for allowance in allowances:
        for line in _lines_of(allowance, lines):
            by_line.setdefault(line, []).append(allowance)
    kept, codes = [], dict[_Line, set[str]]()
    for d in found:
        here = _line_at(d.span, lines) if d.span and d.span.file in lines else None
        if here is None or not _allowed(d, by_line.get(here, ()), used):
            kept.append(d)
        if here:
            codes.setdefault(here, set()).add(d.code)
    broken = {d.span.file for d in kept if d.span and d.severity == "error"}
    for allowance in allowances:
        near = (codes.get(line, ()) for line in _lines_of(allowance, lines))
        kept.extend(_complaints(allowance, used, set[str]().union(*near), files, broken))
    return tuple(kept)


_Line = tuple[str, int]
"""A file and the number of a line."""


def _lines_of(allowance: Allowance, lines: Mapping[str, Lines]) -> Iterator[_Line]:
    file = allowance.span.file
    first, last = (lines[file].at(at)[0] for at in allowance.line)
    return ((file, number) for number in range(first, last + 1))


def _line_at(span: Span, lines: Mapping[str, Lines]) -> _Line:
    return span.file, lines[span.file].at(span.start)[0]


def _allowed(d: Diagnostic, allowances: Iterable[Allowance], used: set[Span]) -> bool:
    if d.severity == "error" and d.code not in SUPPRESSIBLE:
        return False
    spans = [span for a in allowances for code, span in a.codes if code == d.code]
    used.update(spans)
    return bool(spans)


def _complaints(
    allowance: Allowance,
    used: set[Span],
    here: set[str],
    files: Mapping[str, str],
    broken: set[str],
) -> Iterator[Diagnostic]:
    """What is wrong with an allowance; `here` are the codes found on its lines."""
    idle = [(code, span) for code, span in allowance.codes if span not in used]
    for code, span in idle:
        if code in CODES and CODES[code].severity == "error" and code not in SUPPRESSIBLE:
            message = f"{code} is an error and cannot be allowed"
            hint = "mend what it says, and take the comment out"
            if code in here or span.file not in broken:
                yield Diagnostic("S014", message, span, help=hint)
        elif code not in CODES:
            meant = nearest(code, CODES)
            message = f"no diagnostic is called {code}"
            better = f"did you mean {meant}?" if meant else "`mashbill check` prints each code"
            yield Diagnostic("S013", message, span, help=better)
        elif span.file not in broken:  # an error may have kept it from being found
            alone = len(idle) == len(allowance.codes)
            edit = _without(allowance, files[span.file]) if alone else None
            yield Diagnostic(
                "S013",
                f"nothing here is {code}: the comment allows nothing",
                span,
                help="take the comment out" if alone else f"take {code} out",
                fix=(edit,) if edit and span == idle[0][1] else (),
            )


def _without(allowance: Allowance, text: str) -> Edit:
    """Take a comment out, with the spaces before it, or the line that it stands on alone."""
    span = allowance.span
    start, end = span.start, span.end
    while start and text[start - 1] in " \t":
        start -= 1
    if (start == 0 or text[start - 1] == "\n") and end < len(text) and text[end] == "\n":
        end += 1
    return Edit(Span(span.file, start, end), "")


def _allowances(file: str, text: str, document: Node | None) -> Iterator[Allowance]:
    prompt = file.endswith(".j2")
    matches = [*(_PROMPT if prompt else _RECIPE).finditer(text)]
    inside = _values(document) if document is not None and matches else []
    below: dict[int, tuple[int, int]] = {}
    for match in matches:
        start = match.start()
        before = bisect_right(inside, (start, len(text))) - 1
        if before >= 0 and start < inside[before][1]:
            continue
        if not prompt and start and text[start - 1] not in " \t\n\r":
            continue  # YAML needs a space before a comment
        at = match.start("codes")
        codes = tuple(
            (c[0].upper(), Span(file, at + c.start(), at + c.end()))
            for c in _CODE.finditer(match["codes"])
        )
        line = _line(text, match.span(), prompt, below)
        yield Allowance(codes, Span(file, *match.span()), line)


def _line(
    text: str, comment: tuple[int, int], prompt: bool, below: dict[int, tuple[int, int]]
) -> tuple[int, int]:
    """The line that a comment speaks of; `below` remembers it by the lines that lead to it."""
    first = text.rfind("\n", 0, comment[0]) + 1
    last = _end(text, comment[1])
    before = text[first : comment[0]]
    if not prompt and before.rstrip().endswith(":"):
        return first, _entry_end(text, first, last)
    if before.strip() or text[comment[1] : last].strip():
        return first, last
    opening = "{#" if prompt else "#"
    passed = []
    while last < len(text) and last not in below:
        passed.append(last)
        first, last = last + 1, _end(text, last + 1)
        line = text[first:last].strip()
        if line and not line.startswith(opening):
            break
    found = below.get(last, (first, last))
    below.update(dict.fromkeys(passed, found))
    return found


def _entry_end(text: str, first: int, last: int) -> int:
    """Where the lines below a key end that are indented further than it."""
    depth = len(text[first:last]) - len(text[first:last].lstrip(" "))
    while last < len(text):
        start, stop = last + 1, _end(text, last + 1)
        line = text[start:stop]
        if line.strip() and len(line) - len(line.lstrip(" ")) <= depth:
            break
        last = stop
    return last


def _end(text: str, start: int) -> int:
    found = text.find("\n", start)
    return len(text) if found < 0 else found


def _values(document: Node) -> list[tuple[int, int]]:
    """The ranges of all scalars, keys included, in order."""
    found = []
    for _, node in walk(document):
        if isinstance(node, Scalar):
            found.append((node.span.start, node.span.end))
        elif isinstance(node, Map):
            found += [(key.span.start, key.span.end) for key, _ in node.entries]
    return sorted(found)
