"""Edits of a text that know nothing of what it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

NASTY = (
    "\u0301", "\u202e", "\u2066", "\u200d", "\ufeff", "\0", "\x07", "\x1b[31m", "\x7f", "\x85",
    "\u2028", "\u3000", "\r\n", "\r", "\t", "\ud83d", "\udcff", "\U0001f469\u200d\U0001f52c",
    "日本", "ﬁ", "İ", "ß", "٣", "²", "½", "\\", "\\x", "\\u12", "'", '"', "`", "${", "{{", "}}",
    "{%", "%}", "{#", "#}", "---", "...", "%YAML 1.1\n", "!!python/object:os.system ", "&a ",
    "*a", "<<: ", "? ", "- ", ": ", ":", ",", "[", "]", "{", "}", "|", ">", "#", " # ", "= ", "=",
    "0x1F", "0o17", "1e999", "-0.0", ".nan", ".inf", "1_000", "12:30:45", "2026-11-22", "yes",
    "null", "~", "9" * 40, "1" * 5000, "-9223372036854775809", "params.", ".rejected", "../",
    "/etc", "mashbill: allow ", "# mashbill: allow C501, P203", "{# mashbill: allow P203 #}", "%",
    "$", "*?", "(?i)", "(a+)+$", "[", "\\p{L}", "(?=x)",
)  # fmt: skip
"""Characters and words that parsers stumble over."""

_TOKEN = re.compile(r"\w+|\s+|[^\w\s]", re.S)
Mutator = Callable[[str, Random, Sequence[str]], str]


def tokens(text: str) -> list[str]:
    """Words, blanks and single signs."""
    return _TOKEN.findall(text)


def delete_characters(text: str, random: Random, others: Sequence[str]) -> str:
    """Take a few characters out."""
    at = random.randrange(len(text) + 1)
    return text[:at] + text[at + random.choice((1, 1, 1, 2, 5, 20)) :]


def swap_characters(text: str, random: Random, others: Sequence[str]) -> str:
    """Swap two neighbours."""
    at = random.randrange(len(text) + 1)
    return text[:at] + text[at : at + 2][::-1] + text[at + 2 :]


def insert_nasty(text: str, random: Random, others: Sequence[str]) -> str:
    """Put one of `NASTY` somewhere."""
    at = random.randrange(len(text) + 1)
    return text[:at] + random.choice(NASTY) + text[at:]


def replace_byte(text: str, random: Random, others: Sequence[str]) -> str:
    """Change one byte; what is no UTF-8 then becomes the sign for that."""
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    if data:
        data[random.randrange(len(data))] = random.randrange(256)
    return data.decode("utf-8", "replace")


def duplicate_lines(text: str, random: Random, others: Sequence[str]) -> str:
    """Write a stretch of lines twice."""
    lines = text.splitlines(keepends=True) or [text]
    at = random.randrange(len(lines))
    stretch = lines[at : at + random.choice((1, 1, 2, 6))]
    return "".join([*lines[:at], *stretch * random.choice((2, 2, 3)), *lines[at + len(stretch) :]])


def delete_lines(text: str, random: Random, others: Sequence[str]) -> str:
    """Take a stretch of lines out."""
    lines = text.splitlines(keepends=True) or [text]
    at = random.randrange(len(lines))
    return "".join([*lines[:at], *lines[at + random.choice((1, 1, 2, 6)) :]])


def move_lines(text: str, random: Random, others: Sequence[str]) -> str:
    """Take a stretch of lines elsewhere, perhaps indented otherwise."""
    lines = text.splitlines(keepends=True) or [text]
    at, to = random.randrange(len(lines)), random.randrange(len(lines))
    stretch = lines[at : at + random.choice((1, 1, 3))]
    del lines[at : at + len(stretch)]
    shift = random.choice(("", "", "  ", "    "))
    lines[to:to] = [shift + line for line in stretch]
    return "".join(lines)


def splice_tokens(text: str, random: Random, others: Sequence[str]) -> str:
    """Put a few tokens of another text in the place of some."""
    own, given = tokens(text), tokens(random.choice(others))
    if not own or not given:
        return text
    at, start = random.randrange(len(own)), random.randrange(len(given))
    many = random.choice((1, 1, 2, 4, 12))
    new = given[start : start + many]
    return "".join([*own[:at], *new, *own[at + random.choice((0, 1, many)) :]])


def swap_tokens(text: str, random: Random, others: Sequence[str]) -> str:
    """Swap two words."""
    own = tokens(text)
    words = [i for i, token in enumerate(own) if token.isalnum()]
    if len(words) > 1:
        one, other = random.sample(words, 2)
        own[one], own[other] = own[other], own[one]
    return "".join(own)


def splice_lines(text: str, random: Random, others: Sequence[str]) -> str:
    """Put lines of another text between those of this one."""
    lines, given = text.splitlines(keepends=True), random.choice(others).splitlines(keepends=True)
    if given:
        start, at = random.randrange(len(given)), random.randrange(len(lines) + 1)
        lines[at:at] = given[start : start + random.choice((1, 2, 5))]
    return "".join(lines)


def other_line_ends(text: str, random: Random, others: Sequence[str]) -> str:
    """Other ends of lines, of all or of one."""
    end = random.choice(("\r\n", "\r", "\x85", "\u2028"))
    return text.replace("\n", end, random.choice((-1, -1, 1)))


def repeat(text: str, random: Random, others: Sequence[str]) -> str:
    """A sign or a word very often: deep nesting, long lines."""
    at = random.randrange(len(text) + 1)
    what = random.choice(("[", "{a: ", "(", "- ", "x", "not ", "-", "a.", "{{ ", "{% if a %}", "é"))
    return text[:at] + what * random.choice((20, 70, 300, 3000)) + text[at:]


MUTATORS: tuple[tuple[int, Mutator], ...] = (
    (6, delete_characters),
    (4, swap_characters),
    (8, insert_nasty),
    (2, replace_byte),
    (4, duplicate_lines),
    (4, delete_lines),
    (4, move_lines),
    (8, splice_tokens),
    (6, swap_tokens),
    (4, splice_lines),
    (1, other_line_ends),
    (1, repeat),
)
"""How often each is taken, and it."""


def mutate_text(text: str, random: Random, others: Sequence[str]) -> str:
    """One edit or a few."""
    weights, mutators = zip(*MUTATORS, strict=True)
    for mutator in random.choices(mutators, weights, k=random.choice((1, 1, 1, 2, 3))):
        text = mutator(text, random, others)
    return text
