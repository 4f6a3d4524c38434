"""Letters of a multiple choice: `(B)`, `B.`, `Option B`, `(B) 42`."""

from __future__ import annotations

import re

from .forms import Choice

_BARE = re.compile(r"[A-J]|\(\s*([A-Ja-j])\s*\)")
_CALLED = re.compile(r"(?:option|choice|answer)\s*:?\s*\(?\s*([A-Ja-j])\s*\)?\.?", re.I)
_WITH = re.compile(r"(?:\(([A-J])\)|([A-J])[).:])\s+(?![-+*/^=<>])(\S.*)", re.S)
_ALONE = re.compile(r"([A-J])[).:]")
_TEXT = re.compile(r"\\text\s*\{([^{}]*)\}")


def read_choice(text: str) -> Choice | None:
    """The choice that an undressed text makes."""
    text = _TEXT.sub(r"\1", text).strip() if r"\text" in text else text
    if match := _BARE.fullmatch(text):
        return Choice((match[1] or text).upper())
    if match := _CALLED.fullmatch(text) or _ALONE.fullmatch(text):
        return Choice(match[1].upper())
    if match := _WITH.fullmatch(text):
        return Choice(match[1] or match[2], match[3])
    return None
