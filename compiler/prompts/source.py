"""A file of Jinja text: places in it, and the comments in it that allow something."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from ..diagnostics import Diagnostic, Span

MAX_CHARACTERS = 1_000_000
_ALLOW = re.compile(r"(\{?)#-?\s*mashbill:\s*allow\s+([A-Z]\d{3}(?:[\s,]+[A-Z]\d{3})*)")
_CODE = re.compile(r"[A-Z]\d{3}")


@dataclass(frozen=True, slots=True)
class Source:
    """Text with line feeds alone, which is what Jinja sees, that knows its places in the file.

    Attributes:
        shown: The file as the user should see it.
        text: With every line end as one line feed, so offsets differ from the file's.
        gone: Offsets in `text` behind each of which one more character of the file is missing.
    """

    shown: str
    text: str
    gone: tuple[int, ...]

    def span(self, start: int, end: int) -> Span:
        """The place in the file of `text[start:end]`."""
        return Span(self.shown, self.at(start), self.at(max(start, end)))

    def at(self, offset: int) -> int:
        """The offset in the file of an offset in `text`."""
        return offset + bisect_right(self.gone, offset - 1)


def open_source(text: str, shown: str) -> Source:
    """Make a source of a file's text."""
    gone = [m.start() for m in re.finditer("\r\n", text)]
    clean = text.replace("\r\n", "\n").replace("\r", "\n")
    return Source(shown, clean, tuple(g - i for i, g in enumerate(gone)))


def drop_allowed(
    diagnostics: Iterable[Diagnostic], files: dict[str, str]
) -> tuple[Diagnostic, ...]:
    """Leave out what a comment on its line allows: `# mashbill: allow P202 — reason`.

    These are comments of the front matter, and `{# … #}` in included files that are no templates by
    name. Those of a template are `compiler.suppress`'s, which tells the ones that allow nothing.
    """
    allowed = {
        shown: _allowed(text, shown.endswith(".j2"))
        for shown, text in files.items()
        if "mashbill:" in text
    }
    return tuple(d for d in diagnostics if not _is_allowed(d, allowed))


Lines = tuple[list[int], dict[int, frozenset[str]]]


def _allowed(text: str, template: bool) -> Lines:
    lengths = [len(line) for line in text.splitlines(keepends=True)]
    starts = [0, *accumulate(lengths)]
    found: dict[int, frozenset[str]] = {}
    for match in _ALLOW.finditer(text):
        if not (template and match[1]):
            line = bisect_right(starts, match.start())
            found[line] = found.get(line, frozenset()) | frozenset(_CODE.findall(match[2]))
    return starts, found


def _is_allowed(d: Diagnostic, allowed: dict[str, Lines]) -> bool:
    if d.span is None or d.span.file not in allowed:
        return False
    starts, codes = allowed[d.span.file]
    return d.code in codes.get(bisect_left(starts, d.span.start + 1), frozenset())
