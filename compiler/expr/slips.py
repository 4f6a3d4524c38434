"""Faults of syntax in the reader's words, and what was most likely meant."""

from __future__ import annotations

import re

from ..suggest import nearest
from .habits import explain_habit
from .problems import Problem, clip

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
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
    "−": "-",
    "×": "*",
    "÷": "/",
    "\xa0": " ",
}
KEYWORDS = frozenset({"and", "or", "not", "in", "is", "if", "else", "null", "true", "false"})
_SPELLINGS = {"none": "null", "nil": "null", "undefined": "null"}
_ABSENT = {
    "**": "there is no power operator; write `x * x`",
    "for": "there are no loops; a list is asked with `any`, `all`, `count`, `min`, `in`",
    "lambda": "there are no user functions",
    "like": "write `contains(text, 'part')` or `matches(text, 'pattern')`",
    "between": "write `low <= x <= high`",
    "xor": "write `a != b`",
    "?": "write `a if condition else b`",
    "then": "write `a if condition else b`",
    "{": "a list is written `[a, b]`",
    "$": "a column is written by its name alone",
    "`": "a text is written in quotes, a column by its name alone",
    "#": "a comment stands outside the expression",
    ";": "parts are joined with `and` and `or`",
    ":": "there are no slices; one item is `xs[0]`, the last `xs[-1]`",
}
_TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.]*|[=!<>]+|&+|\|+|\*+|'[^']*'?|\"[^\"]*\"?|\S", re.ASCII)


def explain_slip(text: str, at: int, *, operand: bool) -> Problem:
    """The problem for a text that cannot go on at `at`; `operand` says a value was due there."""
    if habit := explain_habit(text, at, operand=operand):
        return habit
    if at >= len(text.rstrip()):
        return _unfinished(text)
    # A sign that the lexer took in two pieces (`=>`, `**`) is told whole.
    start = at
    while start and text[start - 1] in "=!<>*" and text[at] in "=!<>*":
        start -= 1
    # A word that was taken for a column (`NOT a`, `lambda x`) is at fault, not what follows it.
    before = re.search(r"(?<![\w.'\"])([A-Za-z]+)\s+$", text[:start])
    if before and not operand and (told := _word(before[1], before.start(1))):
        return told
    found = None if text[at] == "\xa0" else _TOKEN.match(text, start)
    token = found[0] if found else text[at]
    end = start + len(token)
    if told := _word(token, start):
        return told
    if token[0] in "'\"":
        if len(token) == 1 or token[-1] != token[0]:
            return Problem("X150", "this text has no closing quote", start, len(text.rstrip()))
        token = f"{token[:17]}…{token[0]}" if len(token) > 20 else token
    token = clip(token)
    if asked := re.search(r"\bis(\s+not)?\s*$", text[:start]):
        sign = "!=" if asked[1] else "=="
        help = f"`is` only asks for null; write `{sign}`"
        if operand or token == "null":
            return Problem("X150", f"`null` was expected, not `{token}`", start, end, help)
        at = asked.start()
        if near := nearest(token, ("null",)):
            help = f"did you mean `{near}`?"
            return Problem("X150", f"`null` was expected, not `{token}`", start, end, help, near)
        words = "is not" if asked[1] else "is"
        return Problem("X150", f"`{words}` only asks for null", at, start, help, f"{sign} ")
    if not operand and re.search(r"\bnot\s*$", text[:start]):
        return Problem("X150", f"`in` was expected, not `{token}`", start, end)
    due = "a value" if operand else "an operator"
    return Problem("X150", f"{due} was expected before `{token}`", start, end)


def _word(token: str, start: int) -> Problem | None:
    """The problem of a word or sign that has another spelling here, or none."""
    end = start + len(token)
    if token in _WORDS:
        word = _WORDS[token]
        shown, told = token.strip() or "a no-break space", word.strip() or "a space"
        quoted = f"`{shown}`" if token.strip() else shown
        target = f"`{told}`" if word.strip() else told
        return Problem("X150", f"{quoted} is written {target}", start, end, f"write {target}", word)
    keyword = _SPELLINGS.get(token.lower(), token.lower())
    if keyword in KEYWORDS and keyword != token:
        message = f"`{token}` is written `{keyword}`"
        return Problem("X150", message, start, end, f"write `{keyword}`", keyword)
    if token in _ABSENT:
        return Problem("X150", f"`{token}` means nothing here", start, end, _ABSENT[token])
    return None


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
