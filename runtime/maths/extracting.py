r"""Where the final answer stands in a text.

In this order, the last of its kind: `\boxed{…}`, `#### x`, what stands after "the answer is", the
whole text if it is an answer by itself, LaTeX between signs, the last number (the flexible rule of
the lm-evaluation-harness for GSM8K).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ...compiler.prompts.replies.marks import boxes
from .forms import Unread, Words
from .reading import read

How = Literal["boxed", "hashes", "said", "bare", "latex", "last_number"]
MAX_CHARS = 200_000
"""Longer texts are searched from their end only."""
_BARE_CHARS = 300

_OPEN_BOX = re.compile(r"\\(?:boxed|fbox)\s*(?:\{((?:[^{}\n]|\{[^{}\n]*\})*)$|([-\d.,/]+))")
_FBOX = re.compile(r"\\fbox(?=\s*\{)")
_HASHES = re.compile(r"####[ \t]*(\S[^\n]*)")
_SAID = re.compile(
    r"\banswer(?:\s{1,9}(?:is|was|to\s[^.:\n]{1,80}?\bis)\b|\s{0,9}[:=])\s*(?::\s*)?"
    r"(?P<rest>\S[^\n]*)"
    r"|^\s*A\s*:\s*(?P<short>\S[^\n]*)",
    re.I | re.M,
)
_SENTENCE = re.compile(r"[.!?](?=\s+[A-Z(]|\s*$)|(?<=\))\.(?=\s)")
_MATHS = re.compile(
    r"\$\$(?P<a>[^$]+)\$\$|(?<![\\$])\$(?!\s)(?P<b>[^$\n]+?)(?<!\s)\$(?![\d$])"
    r"|\\\((?P<c>.{1,999}?)\\\)|\\\[(?P<d>.{1,999}?)\\\]",
    re.S,
)
_NUMBER = re.compile(r"-?[$€£]?\d[\d,]*(?:\.\d+)?(?:[eE][+-]?\d+)?(?:\s?\\?%)?|-?\.\d+")
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")


@dataclass(frozen=True, slots=True)
class Extracted:
    """An answer found in a text.

    Attributes:
        answer: Its text.
        how: Where it stood.
        many: How many of its kind there were; the last one counts.
    """

    answer: str
    how: How
    many: int = 1


def extract(text: str) -> Extracted | None:
    """The final answer of a text; None if there is none. Never raises, linear in the text."""
    text = text[-MAX_CHARS:].strip()
    if not text:
        return None
    return (
        _boxed(text)
        or _hashes(text)
        or _said(text)
        or _bare(text)
        or _latex(text)
        or _last_number(text)
    )


def _boxed(text: str) -> Extracted | None:
    if r"\boxed" not in text and r"\fbox" not in text:
        return None
    text = _FBOX.sub(r"\\boxed", text)
    found = [text[slice(*mark.inner)].strip() for mark in boxes(text)]
    found = [inner for inner in found if inner]
    if found:
        return Extracted(found[-1], "boxed", len(found))
    match = _OPEN_BOX.search(text[-_BARE_CHARS:])
    inner = (match[1] or match[2] or "").strip() if match else ""
    return Extracted(inner, "boxed") if inner else None


def _hashes(text: str) -> Extracted | None:
    found = _HASHES.findall(text)
    return Extracted(found[-1].strip(), "hashes", len(found)) if found else None


def _said(text: str) -> Extracted | None:
    found = [m["rest"] or m["short"] for m in _SAID.finditer(text)]
    if not found:
        return None
    rest = found[-1].strip()
    end = _SENTENCE.search(rest)
    answer = (rest[: end.start()] if end else rest).strip(" :*")
    if not answer:
        return None
    if isinstance(read(answer), Unread):
        inner = _latex(answer) or (_last_number(answer) if _is_prose(answer) else None)
        answer = inner.answer if inner else answer
    return Extracted(answer, "said", len(found))


def _bare(text: str) -> Extracted | None:
    if len(text) > _BARE_CHARS or "\n\n" in text:
        return None
    form = read(text)
    if isinstance(form, Words) or (isinstance(form, Unread) and _is_prose(text)):
        prose = len(_WORD.findall(text)) > 6 or bool(_NUMBER.search(text))
        return None if prose else Extracted(text, "bare")
    return Extracted(text, "bare")


def _is_prose(text: str) -> bool:
    return bool(_WORD.search(text)) and " " in text


def _latex(text: str) -> Extracted | None:
    found = [next(filter(None, m.groups())) for m in _MATHS.finditer(text)]
    found = [inner.strip() for inner in found if inner.strip()]
    found = [inner for inner in found if not _between_prices(inner)]
    return Extracted(found[-1], "latex", len(found)) if found else None


def _between_prices(inner: str) -> bool:
    """Whether two `$` before prices, rather than around a formula, enclose a text."""
    return inner[-1] in "=+-*/(:" or len(_WORD.findall(inner)) > 1


def _last_number(text: str) -> Extracted | None:
    found = _NUMBER.findall(text)
    return Extracted(found[-1].rstrip(","), "last_number", len(found)) if found else None
