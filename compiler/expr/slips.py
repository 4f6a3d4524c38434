"""Faults of syntax in the reader's words, and what was most likely meant."""

from __future__ import annotations

import re

from .problems import Problem

# What other languages write, and its word here.
_WORDS = {
    "=": "==",
    "===": "==",
    "!==": "!=",
    "<>": "!=",
    "=>": ">=",
    "=<": "<=",
    "&": "and",
    "&&": "and",
    "|": "or",
    "||": "or",
    "!": "not ",
}
_KEYWORDS = frozenset({"and", "or", "not", "in", "is", "if", "else", "null", "true", "false"})
_SPELLINGS = {"none": "null", "nil": "null", "undefined": "null"}
_ABSENT = {
    "**": "there is no power operator; write `x * x`",
    "for": "there are no loops; a list is asked with `in` and `len`",
    "lambda": "there are no user functions",
    "?": "write `a if condition else b`",
    "{": "a list is written `[a, b]`",
    "$": "a column is written by its name alone",
    "`": "a text is written in quotes, a column by its name alone",
}
_TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.]*|[=!<>]+|&+|\|+|\*+|'[^']*'?|\"[^\"]*\"?|\S", re.ASCII)


def explain_slip(text: str, at: int, *, operand: bool) -> Problem:
    """The problem for a text that cannot go on at `at`; `operand` says a value was due there."""
    if at >= len(text.rstrip()):
        return _unfinished(text)
    # A sign that the lexer took in two pieces (`=>`, `**`) is told whole.
    start = at
    while start and text[start - 1] in "=!<>*" and text[at] in "=!<>*":
        start -= 1
    found = _TOKEN.match(text, start)
    token = found[0] if found else text[at]
    end = start + len(token)
    if token in _WORDS:
        word = _WORDS[token]
        message = f"`{token}` is written `{word.strip()}`"
        return Problem("X150", message, start, end, f"write `{word.strip()}`", word)
    keyword = _SPELLINGS.get(token.lower(), token.lower())
    if keyword in _KEYWORDS and keyword != token:
        message = f"`{token}` is written `{keyword}`"
        return Problem("X150", message, start, end, f"write `{keyword}`", keyword)
    if token in _ABSENT:
        return Problem("X150", f"`{token}` means nothing here", start, end, _ABSENT[token])
    if token[0] in "'\"":
        if len(token) == 1 or token[-1] != token[0]:
            return Problem("X150", "this text has no closing quote", start, len(text.rstrip()))
        token = f"{token[:17]}…{token[0]}" if len(token) > 20 else token
    if before := re.search(r"\bis(\s+not)?\s*$", text[:start]):
        sign = "!=" if before[1] else "=="
        help = f"`is` only asks for null; write `{sign}`"
        return Problem("X150", f"`null` was expected, not `{token}`", start, end, help)
    if not operand and re.search(r"\bnot\s*$", text[:start]):
        return Problem("X150", f"`in` was expected, not `{token}`", start, end)
    due = "a value" if operand else "an operator"
    return Problem("X150", f"{due} was expected before `{token}`", start, end)


def _unfinished(text: str) -> Problem:
    end = len(text.rstrip())
    if not end:
        return Problem("X150", "the expression is empty", 0, len(text))
    missing = _unclosed(text)
    if missing is not None:
        opening, at = missing
        return Problem("X150", f"this `{opening}` is never closed", at, at + 1)
    return Problem("X150", "the expression ends too early", end, end, "a value is missing here")


def _unclosed(text: str) -> tuple[str, int] | None:
    stack: list[tuple[str, int]] = []
    for token in _TOKEN.finditer(text):
        if token[0] in "([":
            stack.append((token[0], token.start()))
        elif token[0] in ")]" and stack:
            stack.pop()
    return stack[-1] if stack else None
