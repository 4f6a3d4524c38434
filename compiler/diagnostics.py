"""What is wrong, where, and what to type: diagnostics as plain values.

Nothing here prints. `render.py` turns a `Report` into terminal text or JSON. No pass raises for a
user's mistake: passes collect diagnostics and carry on; `RecipeError` is raised once, at the
outermost edge, for library callers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from .codes import CODES

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of characters `[start, end)` of one file.

    Offsets count Unicode characters of the text as read, from 0. `file` is the path as shown to the
    user and the key of `Report.files`.
    """

    file: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that helps to understand a diagnostic."""

    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """A machine-applicable replacement of the characters of `span`."""

    span: Span
    replacement: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One cause, one diagnostic.

    Attributes:
        code: A row of `codes.CODES`.
        message: One line, without a full stop, that stands alone.
        span: The exact characters; None only for input/output faults.
        label: Text beside the carets.
        secondary: Further places.
        notes: Facts that explain (printed as `= note:`).
        help: What to type (printed as `= help:`).
        fix: Edits that mend it, safe to apply unseen; empty if there are none.
    """

    code: str
    message: str
    span: Span | None = None
    label: str = ""
    secondary: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    fix: tuple[Edit, ...] = ()

    @property
    def severity(self) -> Severity:
        """The severity that the code table gives."""
        return CODES[self.code].severity


@dataclass(frozen=True, slots=True)
class Report:
    """All diagnostics of one pass over a recipe, in file order, with the texts they point into."""

    diagnostics: tuple[Diagnostic, ...] = ()
    files: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    summary: str = ""

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """Those that stop a run."""
        return tuple(d for d in self.diagnostics if d.severity == "error")

    @property
    def ok(self) -> bool:
        """Whether nothing stops a run."""
        return not self.errors

    def __str__(self) -> str:
        from .render import render

        return render(self)


class RecipeError(Exception):
    """A recipe that cannot be compiled, for library callers; `report` says why."""

    def __init__(self, report: Report) -> None:
        super().__init__(str(report))
        self.report = report


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sort by place, those without a place first, duplicates of one place and code once."""
    seen: dict[tuple[str, Span | None, str], Diagnostic] = {}
    for d in diagnostics:
        seen.setdefault((d.code, d.span, d.message), d)
    none = Span("", -1, -1)
    return tuple(sorted(map(_on_one_line, seen.values()), key=lambda d: (d.span or none, d.code)))


def _on_one_line(d: Diagnostic) -> Diagnostic:
    """The message with breaks written out: a name that somebody put in quotes may hold some."""
    if "\n" not in d.message and "\r" not in d.message:
        return d
    return replace(d, message=d.message.replace("\n", "\\n").replace("\r", "\\r"))
