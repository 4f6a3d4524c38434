"""Values that YAML tears apart: a comma or bracket of an expression inside `{ … }` without quotes.

    { op: filter, keep: contains(text, 'rain') }

To YAML the value ends at the comma, so what it complains of is the rest.
"""

from __future__ import annotations

import re

from .diagnostics import Diagnostic, Edit, Span

_VALUE = re.compile(r":[ \t]+(?=[^\s\"'])")
_FAR = 2000


def torn_value(text: str, file: str, bracket: int, at: int) -> Diagnostic | None:
    """A diagnostic for the value before a place, if a parenthesis is open there.

    Args:
        text: The whole file.
        file: Its name.
        bracket: Where the innermost open `{` stands.
        at: Where YAML has found something that it did not expect.
    """
    first = max(bracket, at - _FAR)
    starts = [m.end() for m in _VALUE.finditer(text, first, at)]
    for start in reversed(starts):
        before = text[start:at]
        bracketed = text[at : at + 1] == "[" and before.strip() and "," not in before
        if bracketed or before.count("(") > before.count(")"):
            end = _end(text, start)
            if end <= at and end < start + 1:
                return None
            return _diagnostic(text[start:end], Span(file, start, end))
    return None


def _end(text: str, start: int) -> int:
    """Where the expression that begins at `start` ends: before a comma or bracket of the map."""
    depth, quote = 0, ""
    for at in range(start, min(len(text), start + _FAR)):
        char = text[at]
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}" and depth:
            depth -= 1
        elif char == "\n":
            break
        elif char in ",}]" and not depth:
            return start + len(text[start:at].rstrip())
    return start


def _diagnostic(value: str, span: Span) -> Diagnostic | None:
    if span.end <= span.start:
        return None
    quoted = ""
    if '"' not in value:
        quoted = '"' + value.replace("\\", "\\\\") + '"'
    elif "'" not in value:
        quoted = f"'{value}'"
    return Diagnostic(
        "S001",
        "inside { } a comma or bracket ends a value: quote the expression",
        span,
        help=f"write `{quoted}`" if quoted else "write it on a line of its own",
        fix=(Edit(span, quoted),) if quoted else (),
    )
