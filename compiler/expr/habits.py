"""What people write by habit of other languages, and what it is here."""

from __future__ import annotations

import math
import re

from .functions import FUNCTIONS
from .problems import Problem, clip

_RIGHT = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_NUMBER = re.compile(r"(?<![\w.)\]])(?:\d+(?:,\d{3})+|\d[\d_]*\.(?!\d)|\.\d+|\d[\w.]*)%?", re.ASCII)
_NO_OPERAND = re.compile(r"\s*(?:$|[)\],]|[<>=!]|(?:and|or|if|else|in|is)\b)")
_UNITS = {"k": 1_000, "m": 1_000_000, "b": 1_000_000_000}
_METHOD = re.compile(r"(?<![\w.])([A-Za-z_][\w.]*)\.([A-Za-z_]\w*)$", re.ASCII)
_LITERAL = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"", re.DOTALL)
_QUOTES = {"“": "”", "‘": "’", "„": "“", "«": "»"}
_KEPT = re.compile(r"\\[\\nrt]")


def explain_habit(text: str, at: int, *, operand: bool) -> Problem | None:
    """The problem, if a text cannot go on at `at` for a habit that is known; else None."""
    return (
        _number(text, at)
        or _method(text, at)
        or _prefix(text, at)
        or _quotes(text, at)
        or _tuple(text, at)
        or (_plus(text, at) if operand else None)
    )


def _tell(message: str, start: int, end: int, word: str) -> Problem:
    return Problem("X150", message, start, end, f"write `{clip(word)}`", word)


def _number(text: str, at: int) -> Problem | None:
    """`1_000`, `0xff`, `5.`, `.5`, `10k`, `1,000`, `50%`."""
    for found in _NUMBER.finditer(text):
        shown, start, end = found[0], found.start(), found.end()
        if shown.endswith("%"):
            # Only where no operand follows is it no operator.
            if at < end or text[end:at].strip() or not _NO_OPERAND.match(text, end):
                continue
        elif not start <= at <= end:
            continue
        value = _value(shown)
        if value is not None and not _RIGHT.fullmatch(shown):
            return _tell(f"`{clip(shown)}` is written `{value}`", start, end, value)
    return None


def _value(shown: str) -> str | None:
    """A number as the language writes it; None for what is none."""
    if shown.endswith("%"):
        try:
            return repr(float(shown[:-1]) / 100)
        except ValueError:
            return None
    plain = shown.replace("_", "").replace(",", "")
    try:
        if re.match(r"0[xXoObB]", plain):
            return str(int(plain, 0))
        if plain[-1].lower() in _UNITS and "e" not in plain.lower():
            number = float(plain[:-1]) * _UNITS[plain[-1].lower()]
            return str(int(number)) if abs(number) < 2**63 and number.is_integer() else None
        if plain.isdigit():
            return plain if len(plain) < 20 else None
        number = float(plain)
    except ValueError:
        return None
    return repr(number) if math.isfinite(number) else None


def _method(text: str, at: int) -> Problem | None:
    """`text.lower()`."""
    if text[at : at + 1] != "(":
        return None
    found = _METHOD.search(text[:at].rstrip())
    if found is None:
        return None
    base, name = found[1], found[2]
    known = {"length": "len", "size": "len", "replace": "", "starts_with": "startswith"}
    name = known.get(name, name)
    if name not in FUNCTIONS:
        names = ", ".join(FUNCTIONS)
        place = found.start(2), len(text[:at].rstrip())
        return Problem(
            "X150", f"there is no method `{clip(found[2])}`", *place, f"functions: {names}"
        )
    alone = re.match(r"\(\s*\)", text[at:])
    word = f"{name}({base})" if alone else f"{name}({base}, "
    end = at + (alone.end() if alone else 1)
    while not alone and text[end : end + 1] == " ":
        end += 1
    shown = f"{name}({base}{'' if alone else ', …'})"
    message = f"a function stands before what it takes: `{clip(shown)}`"
    return Problem("X150", message, found.start(), end, f"write `{clip(shown)}`", word)


def _prefix(text: str, at: int) -> Problem | None:
    """`r'…'`, `f'…'`."""
    found = re.search(r"(?<![\w.])[rRbBuUfF]{1,2}$", text[:at])
    literal = _LITERAL.match(text, at)
    if found is None or literal is None:
        return None
    if "f" in found[0].lower():
        help = "join with `+`: `'a' + str(n)`"
        return Problem("X150", "a text has no holes in it", found.start(), literal.end(), help)
    # A backslash stands for itself but before these, which a raw text would keep.
    body = literal[0][1:-1]
    body = _KEPT.sub(lambda m: "\\" + m[0], body) if "r" in found[0].lower() else body
    word = literal[0][0] + body + literal[0][0]
    message = f"a text has no prefix `{found[0]}`"
    return Problem("X150", message, found.start(), literal.end(), f"write `{clip(word)}`", word)


def _quotes(text: str, at: int) -> Problem | None:
    """“…”."""
    opened = text[at : at + 1]
    if opened not in _QUOTES or not opened:
        return None
    end = text.find(_QUOTES[opened], at + 1)
    if end < 0:
        return Problem("X150", "a text stands in straight quotes", at, at + 1, "write `'…'`")
    body = text[at + 1 : end].replace("\\", "\\\\").replace("'", "\\'")
    return _tell("a text stands in straight quotes", at, end + 1, f"'{body}'")


def _tuple(text: str, at: int) -> Problem | None:
    """`n in (1, 2)`."""
    if text[at : at + 1] != ",":
        return None
    found = re.search(r"\bin\s*\(", text[:at])
    close = text.find(")", at)
    if found is None or close < 0 or set("()[]") & set(text[found.end() : close]):
        return None
    word = f"[{text[found.end() : close]}]"
    return _tell("a list stands in square brackets", found.end() - 1, close + 1, word)


def _plus(text: str, at: int) -> Problem | None:
    """`n > +3`."""
    if text[at : at + 1] != "+" or text[at : at + 2] == "++" or text[at - 1 : at] == "+":
        return None
    return Problem("X150", "there is no sign `+` before a value", at, at + 1, "take it out", "")
