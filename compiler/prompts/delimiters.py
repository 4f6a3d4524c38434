"""Text from outside that stands among the prompt's own words with nothing around it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from jinja2 import nodes

from ..diagnostics import Diagnostic
from .flow import Piece, blocks, inserted, pieces
from .places import node_span
from .template import Parsed

DOCUMENTS = ("text", "input.text", "source.text")
"""Columns that hold what strangers wrote. Others are not known to: a subject, a style, a name."""

_HERE, _VALUE = "\ufffc", "\ufffd"
_PAIRS = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’", "„": "“", "«": "»", "(": ")", "[": "]"}
_OPENING_TAG = re.compile(r"<[^<>/\n][^<>\n]*>\Z")
_LINE_THAT_DELIMITS = re.compile(r"\s*(?:#|<.*>\s*$|```|~~~|[-=*_~]{3,}\s*$|[\"']{3})|.*[::]\W*$")
_LABEL = re.compile(r"[^\n]{0,60}[::][*_ \t]*\Z")


def undelimited(
    parsed: Parsed, inputs: Mapping[str, object], included: Mapping[str, Parsed]
) -> Iterator[Diagnostic]:
    """Report documents that are inserted without a delimiter.

    A delimiter is what shows the model where the document begins: a pair of tags, quotes or fences
    around it; a line before it that is a heading, a rule, a tag, a fence or ends with a colon; a
    label on its own line; or blank lines that make it a paragraph of its own (a block that is
    nothing but the document among them).
    """
    for block in blocks(parsed).values():
        text, marks = "", list[tuple[int, str, Piece]]()
        for piece in pieces(parsed, block.body, included):
            name = inserted(piece.node) if piece.node is not None and piece.always else None
            if isinstance(piece.node, nodes.Expr) and name in DOCUMENTS and name in inputs:
                marks.append((len(text), name, piece))
                text += _HERE
            elif piece.text:
                text += piece.text
            elif piece.node is not None and piece.always:
                text += _VALUE
        told: set[str] = set()
        for at, name, piece in marks:
            if name not in told and not _delimited(text, at) and piece.node is not None:
                told.add(name)
                yield Diagnostic(
                    "P206",
                    f"`{name}` is inserted without a delimiter, and text can hold instructions",
                    node_span(piece.parsed, piece.node),
                    help="put it between tags, or in a paragraph of its own behind a label",
                )


def _delimited(text: str, at: int) -> bool:
    before, after = text[:at], text[at + 1 :]
    if _paired(before.rstrip(), after.lstrip()):
        return True
    above, _, left = before.rpartition("\n")
    right, _, below = after.partition("\n")
    if right.strip():
        return False
    if left.strip():
        return bool(_LABEL.fullmatch(left)) or left.lstrip().startswith(">")
    return _separates(above.rpartition("\n")[2]) and _separates(below.partition("\n")[0])


def _paired(before: str, after: str) -> bool:
    if before and _PAIRS.get(before[-1]) == after[:1] and after:
        return True
    line = before.rpartition("\n")[2].lstrip()
    if line[:3] in ("```", "~~~", '"""', "'''") and after.startswith(line[:3]):
        return True
    return bool(_OPENING_TAG.search(before)) and after.startswith("</")


def _separates(line: str) -> bool:
    return not line.strip() or bool(_LINE_THAT_DELIMITS.match(line))
