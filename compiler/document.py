"""YAML text to a spanned document: strict 1.2 core, nothing hidden, every mistake with its place.

Built from parser events with a stack of its own, since the C library's `compose` overflows its own
on deep nesting. Its marks count characters and carry no text, so raw text is sliced here.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import yaml

from .builder import Builder
from .diagnostics import Diagnostic, Span
from .nodes import TYPED, List, Map, Node, Path, Scalar, Value, find, plain, walk
from .yaml_errors import diagnose

__all__ = [
    "TYPED", "List", "Map", "Node", "Path", "Scalar", "Value",
    "decode", "find", "parse_document", "plain", "walk",
]  # fmt: skip

MAX_CHARACTERS = 4_000_000

_LOADER: Any = getattr(yaml, "CLoader", yaml.Loader)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@cache
def _forbidden() -> re.Pattern[str]:
    """What cannot stand in YAML. So many ranges take longer to compile than most recipes."""
    return re.compile(
        r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
    )


def decode(data: bytes, file: str) -> tuple[str | None, tuple[Diagnostic, ...]]:
    """UTF-8 bytes to text; on a bad byte, a diagnostic that says where it is."""
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        at = len(data[: error.start].decode("utf-8"))
        return None, (
            Diagnostic(
                "S001",
                f"line {line} of {file} is not UTF-8: byte 0x{data[error.start]:02x}",
                Span(file, at, at + 1),
                help="save the file as UTF-8",
            ),
        )


def parse_document(
    text: str, file: str, *, within: tuple[int, int] | None = None
) -> tuple[Node | None, tuple[Diagnostic, ...]]:
    """Parse YAML into spanned nodes.

    Args:
        text: The whole text of the file, as read.
        file: The name that spans carry.
        within: Parse only these characters (front matter, the value of an argument); spans still
            count from the start of `text`.

    Returns:
        The document, and what is wrong with it. An empty text is a null scalar. The document is
        None if its structure cannot be relied on; then there is at least one diagnostic.
    """
    start, end = within or (0, len(text))
    if end - start > MAX_CHARACTERS:
        size = f"{(end - start) / 1e6:.1f}"
        message = f"{file} has {size} million characters; a recipe has at most 4 million"
        return None, (Diagnostic("S001", message, Span(file, 0, 0)),)
    if text.startswith(
        "\ufeff", start
    ):  # the C parser drops a byte order mark and does not count it
        start += 1
    strange = _CONTROL if text.isascii() else _forbidden()
    if bad := strange.search(text, start, end):
        message = f"the character U+{ord(bad[0]):04X} cannot stand in YAML"
        hint = "remove it, or write an escape in double quotes"
        return None, (Diagnostic("S001", message, Span(file, *bad.span()), help=hint),)
    builder = Builder(text, file, start, end)
    try:
        for event in yaml.parse(text[start:end], Loader=_LOADER):
            if not builder.take(event):
                return None, tuple(builder.diagnostics)
    except yaml.YAMLError as error:
        return None, (
            *builder.diagnostics,
            diagnose(error, text, file, (start, end), builder.open_bracket),
        )
    builder.refuse_tabs()
    root = builder.root or Scalar(None, Span(file, start, start))
    return root, tuple(builder.diagnostics)
