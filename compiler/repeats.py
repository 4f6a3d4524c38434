"""One cause, one error: a name that is missing is told once, with every place that uses it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .diagnostics import Diagnostic, Label

OF_NAMES = ("R101", "R110", "X151", "P201")
"""Codes whose message names what is missing, so that equal messages have one cause."""


def join_repeats(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Join diagnostics of one missing name: the first place is told, the others are labels.

    What `--fix` would mend in one place it mends in all of them.
    """
    left: list[Diagnostic] = []
    same: dict[tuple[str, str, str], list[Diagnostic]] = {}
    for d in diagnostics:
        if d.code in OF_NAMES and d.span and "`" in d.message:
            same.setdefault((d.code, d.message, d.span.file), []).append(d)
        else:
            left.append(d)
    return [*left, *(_joined(group) for group in same.values())]


def _joined(group: list[Diagnostic]) -> Diagnostic:
    spans = {d.span: d for d in reversed(group) if d.span}
    first, *others = (spans[span] for span in sorted(spans))
    labels = tuple(Label(d.span, "and here") for d in others if d.span)
    fixes = [d.fix for d in (first, *others)]
    fix = tuple(dict.fromkeys(e for f in fixes for e in f)) if all(fixes) else first.fix
    return replace(first, secondary=(*first.secondary, *labels), fix=fix) if others else first
