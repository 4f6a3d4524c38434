"""Edits inside a value, written so that the YAML around them still reads."""

from __future__ import annotations

import json

from .diagnostics import Edit, Span
from .document import Scalar

_UNSAFE = frozenset(",[]{}#:&*!|>'\"%@`")
"""What may end a plain scalar or change its meaning, in one place or another."""


def renaming(span: Span, name: str | None) -> tuple[Edit, ...]:
    """The edit that writes another name in a place; none for what is no name, as it may not fit."""
    sound = name is not None and name.replace(".", "_").isidentifier()
    return (Edit(span, name),) if name and sound else ()


def edit_within(node: Scalar, start: int, end: int, replacement: str) -> Edit:
    """Replace `value[start:end]`.

    A plain scalar is put in quotes whole where the new characters might not stand in it: inside
    `{ }` a comma ends it.
    """
    value, style = str(node.value), node.raw[:1]
    span = node.within(start, end)
    if style == "'":
        return Edit(span, replacement.replace("'", "''"))
    if style == '"':
        return Edit(span, json.dumps(replacement, ensure_ascii=False)[1:-1])
    new = value[:start] + replacement + value[end:]
    fresh = _UNSAFE & set(replacement) - set(value)
    starts = start == 0 and bool(_UNSAFE & set(replacement[:1]))
    if style in ("|", ">") or not (fresh or starts):
        return Edit(span, replacement)
    return Edit(node.span, _quoted(new))


def _quoted(text: str) -> str:
    if '"' not in text and "\\" not in text and text.isprintable():
        return f'"{text}"'
    if "'" not in text and text.isprintable():
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False)
