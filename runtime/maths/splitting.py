"""Cutting an undressed text outside of its brackets."""

from __future__ import annotations

import re

_PIECE = re.compile(
    r"(?P<open>\\\{|\\langle|[(\[{])|(?P<close>\\\}|\\rangle|[)\]}])"
    r"|(?P<relation>\\(?:leqslant|geqslant|leq|geq|neq|le|ge|ne|lt|gt|in)(?![A-Za-z])|<=|>=|!=|==|[=<>])"
    r"|(?P<separator>[,;]|(?:\\text\s*\{\s*)?\b(?:or|and)\b(?:\s*\})?|\\(?:lor|vee|land|wedge)(?![A-Za-z]))"
    r"|(?P<cup>\\cup(?![A-Za-z]))|(?P<colon>:)|\\."
)
_GROUPED = re.compile(
    r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])|(?<![\d.,])\d{1,2}(?:,\d{2})+,\d{3}(?!\d)"
)
_RELATIONS = {
    r"\leqslant": "<=", r"\geqslant": ">=", r"\leq": "<=", r"\geq": ">=", r"\le": "<=",
    r"\ge": ">=", r"\neq": "!=", r"\ne": "!=", r"\lt": "<", r"\gt": ">", r"\in": "in", "==": "=",
}  # fmt: skip
_CLOSING = {"(": ")", "[": "]", "{": "}", "\\{": "\\}", "\\langle": "\\rangle"}


def split(text: str, kind: str) -> tuple[list[str], list[str]]:
    """The parts of a text between signs of one kind, and the signs, outside of brackets.

    Args:
        text: Undressed text.
        kind: `separator` (`,` `;` `or` `and`), `relation`, `cup` or `colon`. A comma that groups
            digits separates nothing.
    """
    grouped = {i for m in _GROUPED.finditer(text) for i in range(*m.span())}
    parts: list[str] = []
    signs: list[str] = []
    depth = start = 0
    for match in _PIECE.finditer(text):
        if match["open"]:
            depth += 1
        elif match["close"]:
            depth = max(0, depth - 1)
        elif not depth and match.lastgroup == kind and match.start() not in grouped:
            parts.append(text[start : match.start()].strip())
            signs.append(_plain(match[0]))
            start = match.end()
    parts.append(text[start:].strip())
    return parts, signs


def _plain(sign: str) -> str:
    word = sign.replace(r"\text", "").strip("{} ")
    if word in (r"\lor", r"\vee"):
        return "or"
    if word in (r"\land", r"\wedge"):
        return "and"
    return _RELATIONS.get(word, word)


def enclosed(text: str) -> tuple[str, str, str] | None:
    """Opening, inside and closing of a bracket that is the whole text.

    The closing one may be of another kind, as that of a half open interval, or missing.
    """
    match = _PIECE.match(text)
    if match is None or not match["open"]:
        return None
    depth = 0
    for piece in _PIECE.finditer(text):
        depth += bool(piece["open"]) - bool(piece["close"])
        if not depth and piece["close"]:
            if piece.end() < len(text):
                return None
            return match[0], text[match.end() : piece.start()].strip(), piece[0]
    return match[0], text[match.end() :].strip(), _CLOSING[match[0]]


def commas(text: str) -> list[str]:
    """The parts between all commas outside of brackets, those among digits too."""
    parts: list[str] = []
    depth = start = 0
    for match in re.finditer(r"\\\{|\\\}|\\langle|\\rangle|[()\[\]{},;]", text):
        sign = match[0]
        if sign in (",", ";"):
            if not depth:
                parts.append(text[start : match.start()].strip())
                start = match.end()
        else:
            depth += 1 if sign in _CLOSING else -1
    return [*parts, text[start:].strip()]
