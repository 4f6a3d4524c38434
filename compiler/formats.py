"""A report for machines: JSON, and the annotations of a continuous-integration log."""

from __future__ import annotations

import json
from typing import Any

from .codes import CODES
from .diagnostics import Diagnostic, Report, Span
from .places import Lines


def render_json(report: Report) -> str:
    """One JSON object; lines and columns count from 1, in characters, `end_column` exclusive.

    Keys: `summary`, `errors`, `warnings`, `notes` (numbers), and `diagnostics`, a list of `code`,
    `slug`, `severity`, `message`, `place`, `label`, `secondary`, `notes`, `help`, `fix`.
    """
    texts = {file: Lines(text) for file, text in report.files.items()}
    numbers = {
        f"{severity}s": sum(d.severity == severity for d in report.diagnostics)
        for severity in ("error", "warning", "note")
    }
    found = [_diagnostic(d, texts) for d in report.diagnostics]
    return json.dumps(
        {"summary": report.summary, **numbers, "diagnostics": found}, ensure_ascii=False, indent=2
    )


def render_github(report: Report) -> str:
    """One workflow command a line (`::error file=…,line=…::message`), in the report's order."""
    texts = {file: Lines(text) for file, text in report.files.items()}
    return "\n".join(_annotation(d, texts) for d in report.diagnostics)


def _diagnostic(d: Diagnostic, texts: dict[str, Lines]) -> dict[str, Any]:
    return {
        "code": d.code,
        "slug": CODES[d.code].slug,
        "severity": d.severity,
        "message": d.message,
        "place": _place(d.span, texts),
        "label": d.label,
        "secondary": [{"place": _place(s.span, texts), "text": s.text} for s in d.secondary],
        "notes": list(d.notes),
        "help": d.help,
        "fix": [{"place": _place(e.span, texts), "replacement": e.replacement} for e in d.fix],
    }


def _place(span: Span | None, texts: dict[str, Lines]) -> dict[str, Any] | None:
    if span is None:
        return None
    place: dict[str, Any] = {"file": span.file, "start": span.start, "end": span.end}
    if text := texts.get(span.file):
        (line, column), (end_line, end_column) = text.at(span.start), text.at(span.end)
        place |= {
            "line": line + 1,
            "column": column + 1,
            "end_line": end_line + 1,
            "end_column": end_column + 1,
        }
    return place


def _annotation(d: Diagnostic, texts: dict[str, Lines]) -> str:
    level = {"error": "error", "warning": "warning", "note": "notice"}[d.severity]
    facts = {"title": f"{d.code} {CODES[d.code].slug}"}
    if place := _place(d.span, texts):
        facts = {"file": place["file"], **facts}
        if "line" in place:
            facts |= {"line": str(place["line"]), "endLine": str(place["end_line"])}
            if place["line"] == place["end_line"]:
                facts |= {"col": str(place["column"]), "endColumn": str(place["end_column"])}
    words = "\n".join([d.message, *d.notes, *([d.help] if d.help else [])])
    settings = ",".join(f"{key}={_escape(value, ':,')}" for key, value in facts.items())
    return f"::{level} {settings}::{_escape(words)}"


def _escape(text: str, also: str = "") -> str:
    for char in "%\r\n" + also:
        text = text.replace(char, f"%{ord(char):02X}")
    return text
