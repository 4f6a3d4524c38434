"""What `check` says of a mutant."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from mashbill.compiler.diagnostics import Diagnostic, Report

from .bases import compile_files
from .mutant import Base, Mutant, line_of


@dataclass(frozen=True)
class Verdict:
    """Of one mutant.

    Attributes:
        mutant: What was compiled.
        report: All that was said.
        errors: How many errors there are.
        warnings: How many warnings and notes that the base has not.
        on_line: Whether the first error, or without one the first new warning, points at a line
            where the cause is (`Mutant.lines`).
        crash: The exception, if there was one.
    """

    mutant: Mutant
    report: Report
    errors: int
    warnings: int
    on_line: bool
    crash: str = ""

    @property
    def caught(self) -> bool:
        """Whether anything was said."""
        return bool(self.errors or self.warnings) and not self.crash


def judge(mutant: Mutant) -> Verdict:
    """Compile a mutant and look at the first thing that is said."""
    try:
        report = compile_files(mutant.files).report
    except Exception as error:  # the benchmark lists it
        return Verdict(mutant, Report(), 0, 0, False, f"{type(error).__name__}: {error}")
    errors = report.errors
    known = warnings_of(mutant.base)
    fresh = [
        d for d in report.diagnostics if d.severity != "error" and (d.code, d.message) not in known
    ]
    first: Diagnostic | None = next(iter([*errors, *fresh]), None)
    span = first.span if first else None
    on_line = span is not None and (
        (span.file, line_of(report.files[span.file], span.start)) in mutant.lines
    )
    return Verdict(mutant, report, len(errors), len(fresh), on_line)


@cache
def warnings_of(base: Base) -> frozenset[tuple[str, str]]:
    """What is said of the base itself."""
    report = compile_files(dict(base.files)).report
    assert report.ok, base.name
    return frozenset((d.code, d.message) for d in report.diagnostics)
