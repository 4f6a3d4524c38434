"""The outer shape of a rewrite: finished, of a fitting length, in the language of its source."""

from __future__ import annotations

import re

from .text import Text
from .words import FUNCTION, WORD

_FINISHED = re.compile(r"[.!?…:;。！？।][\"'”’»)\]*_`]*$")
_LISTED = re.compile(r"[ \t]*(?:[-*•#|>+]|\d{1,3}[.)])|.*(?:https?://\S+|#\w+)$")
_DANGLING = frozenset(
    (
        *("the", "a", "an", "of", "and", "or", "to", "for", "with", "by", "from", "at", "as"),
        *("that", "which", "than", "its", "their"),
    )
)

MIN_WORDS = 12
"""Fewer words do not tell the language."""
ENGLISH = 0.25
"""At least this share of the words of English prose is function words (it is near 0.45)."""
FOREIGN = 0.06
"""At most this share of the words of another language looks like one."""

_SCRIPTS = {
    "Latin": re.compile(r"[A-Za-z\u00c0-\u024f]"),
    "Cyrillic": re.compile(r"[\u0400-\u052f]"),
    "Greek": re.compile(r"[\u0370-\u03ff]"),
    "Arabic": re.compile(r"[\u0600-\u06ff]"),
    "Hebrew": re.compile(r"[\u0590-\u05ff]"),
    "Indic": re.compile(r"[\u0900-\u0dff]"),
    "Thai": re.compile(r"[\u0e00-\u0e7f]"),
    "Hangul": re.compile(r"[\uac00-\ud7af]"),
    "Han": re.compile(r"[\u3040-\u30ff\u3400-\u9fff]"),
}


def unfinished(got: str, source: str) -> str:
    """The end of a rewrite that stops short where its source does not; else nothing.

    Lists, headings, tables and tags may end without a stop, but not in `of the`.
    """
    text = got.rstrip()
    if not text or _FINISHED.search(text) or not _FINISHED.search(source.rstrip()):
        return ""
    line = text.splitlines()[-1]
    if line.strip() in map(str.strip, source.splitlines()):
        return ""
    words = WORD.findall(line)
    dangling = text[-1] in ",-–—(" or bool(words and words[-1].lower() in _DANGLING)
    return line[-60:] if dangling or not _LISTED.match(line) else ""


def language(got: Text, source: Text) -> str:
    """What shows that a rewrite is in another language than its source; else nothing.

    Cheap and coarse: another script, or English on one side only by its share of function words.
    """
    if not (got.raw.isascii() and source.raw.isascii()):
        ours, theirs = _script(got.raw), _script(source.raw)
        if ours and theirs and ours != theirs:
            return f"{ours} for {theirs}"
    if 2 * len(got.content & source.content) > len(got.content):
        return ""
    ours_share, theirs_share = _plain(got), _plain(source)
    if ours_share is None or theirs_share is None:
        return ""
    if theirs_share >= ENGLISH and ours_share <= FOREIGN:
        return "not English"
    return "English" if theirs_share <= FOREIGN and ours_share >= ENGLISH else ""


def length(got: Text, source: Text) -> float:
    """Words of the rewrite for each word of the source."""
    ours, theirs = (sum(len(s.words) for s in text.sentences) for text in (got, source))
    return ours / max(1, theirs)


def _plain(text: Text) -> float | None:
    """The share of English function words; nothing where there are too few words."""
    stems = [stem for s in text.sentences for stem in s.stems]
    return sum(stem in FUNCTION for stem in stems) / len(stems) if len(stems) >= MIN_WORDS else None


def _script(text: str) -> str:
    """The script of at least two thirds of the letters, if one has them."""
    counts = {name: len(letters.findall(text)) for name, letters in _SCRIPTS.items()}
    name = max(counts, key=lambda one: counts[one])
    total = sum(counts.values())
    return name if total >= MIN_WORDS and counts[name] >= 2 / 3 * total else ""
