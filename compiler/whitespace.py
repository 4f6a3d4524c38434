"""The white space around a reply or a part of it: an indent is kept, all else goes."""

from __future__ import annotations

import re


def trim_reply(text: str, *, inside_line: bool = False) -> str:
    r"""A text without white space around it, but with the indent of its first line.

    One space is no indent: some models begin each reply with one.

    Args:
        text: The text.
        inside_line: Whether it goes on in a line that has begun, where nothing is an indent.

    >>> trim_reply("\n\n    return 1\n")
    '    return 1'
    >>> trim_reply(" Yes.")
    'Yes.'
    """
    bare = text.strip()
    before = text[: len(text) - len(text.lstrip())]
    indent = indent_of(before, inside_line=inside_line)
    return indent + bare if bare else ""


def indent_of(space: str, *, inside_line: bool = False) -> str:
    """What of the white space before a text indents its first line."""
    _, line_end, indent = space.rpartition("\n")
    if (inside_line and not line_end) or indent == " " or indent.strip(" \t"):
        return ""
    return indent


def trim_part(text: str) -> str:
    r"""What stands between two marks, without the indent that all its lines share.

    >>> trim_part("\n  if x:\n      y\n")
    'if x:\n    y'
    """
    margin = _shared_indent(text)
    outdented = re.sub(rf"^{margin}", "", text, flags=re.MULTILINE) if margin else text
    return trim_reply(outdented, inside_line=True)


def _shared_indent(text: str) -> str:
    """What all lines begin with, blank ones aside."""
    lines = [line for line in text.split("\n") if line.strip()]
    indents = [line[: len(line) - len(line.lstrip(" \t"))] for line in lines]
    if not indents:
        return ""
    first, last = min(indents), max(indents)  # in order of characters: the others lie between
    differ = (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)
    return first[: next(differ, len(first))]
