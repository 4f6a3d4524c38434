"""Scalars as text: bare where that is plainly the same, else in single quotes where they fit."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from ..nodes import Scalar
from ..scalars import ambiguity, resolve

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[./@-][A-Za-z0-9_]+)*")


_ODD_BREAKS = frozenset("\x85\u2028\u2029")
"""Breaks of lines to YAML 1.1 and to hardly anybody else."""


def is_block(node: Scalar) -> bool:
    """Whether it was written as a block, after `|` or `>`."""
    return node.quoted and node.raw[:1] in ("|", ">")


def on_one_line(node: Scalar, *, key: bool = False) -> str | None:
    """The scalar on one line; None if it was written on several."""
    if not _ODD_BREAKS.isdisjoint(node.raw):
        value = str(node.value)
        plain = replace(node, raw="''", quoted=True)
        return on_one_line(plain, key=key) if value.isprintable() else _escaped(value)
    if "\n" in node.raw or is_block(node):
        return None
    if not node.quoted:
        return node.raw
    value = str(node.value)
    if _WORD.fullmatch(value) and resolve(value) == value and not ambiguity(value, key=key):
        return value
    if node.raw.startswith('"') and "\\" in node.raw:
        return node.raw  # escapes stay as they were typed
    if "'" in value and '"' not in value and "\\" not in value:
        return f'"{value}"'
    return "'" + value.replace("'", "''") + "'"


def _escaped(value: str) -> str:
    """The value with every break of a line written as an escape."""
    escapes = {ord(c): f"\\u{ord(c):04x}" for c in _ODD_BREAKS}
    return json.dumps(value, ensure_ascii=False).translate(escapes)


def lines(node: Scalar, indent: int) -> list[str]:
    """The scalar as it stands after its key: the first line bare, further ones indented.

    Args:
        node: The scalar.
        indent: Blanks before what belongs to the key.
    """
    if (text := on_one_line(node)) is not None:
        return [text]
    if is_block(node):
        return _block(node, indent)
    first, *rest = (line.strip(" \t") for line in node.raw.split("\n"))
    return [first, *(" " * indent + line if line else "" for line in rest)]


def _block(node: Scalar, indent: int) -> list[str]:
    """A block with its content moved to another column; its line breaks are what it says."""
    value, style = str(node.value), node.raw[0]
    body = value.rstrip("\n")
    breaks = len(value) - len(body)
    if not body.strip(" "):
        return ['"' + value.replace("\n", "\\n") + '"' if breaks else f"'{value}'"]
    chomp = ("-", "")[breaks] if breaks < 2 else "+"
    lead = body[: len(body) - len(body.lstrip(" \n"))]
    column = "2" if " " in lead else ""  # cannot be guessed from a first line with blanks
    content = body.split("\n") if style == "|" else _folded(node, body)
    moved = [" " * indent + line if line else "" for line in content]
    return [f"{style}{column}{chomp}", *moved, *[""] * (breaks - 1)]


def _folded(node: Scalar, body: str) -> list[str]:
    """The lines of a folded block as they were written, from the column of their content."""
    written = node.raw.split("\n")[1:]
    base = _depth(next(line for line in written if line.strip(" ")))
    base -= _depth(next(line for line in body.split("\n") if line.strip(" ")))
    tail = body[len(body.rstrip(" ")) :]
    return [*(line[base:] for line in written[:-1]), written[-1][base:] + tail]


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
