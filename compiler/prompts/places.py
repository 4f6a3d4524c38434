"""From nodes of a template to the characters that they were written as."""

from __future__ import annotations

import re

from jinja2 import nodes

from ..diagnostics import Span
from .template import Parsed

# Their `lineno` is that of whatever token came next; their parts say where they are.
_PLACELESS = (nodes.Operand, nodes.Compare, nodes.BinExpr, nodes.Concat, nodes.CondExpr)
_STATEMENTS = (nodes.If, nodes.For, nodes.Block, nodes.Include)


def node_span(parsed: Parsed, node: nodes.Node) -> Span:
    """From a node's first token to its last, closing brackets included; a statement's word."""
    text = parsed.source.text
    offsets = _offsets(node)
    start, last = min(offsets), max(offsets)
    end = parsed.ends.get(last, last + 1)
    if isinstance(node, nodes.Getattr):
        end = text.find(node.attr, last) + len(node.attr)
    elif isinstance(node, nodes.Test):
        _, end = _written(text, node.name, last)
    for opening, closing in ("()", "[]"):
        missing = text.count(opening, start, end) - text.count(closing, start, end)
        while missing > 0 and text[(at := skip_space(text, end)) :][:1] == closing:
            end, missing = at + 1, missing - 1
    return parsed.source.span(start, end)


def word_span(parsed: Parsed, word: str, at: int) -> Span:
    """The first place of a word from an offset on."""
    return parsed.source.span(*_written(parsed.source.text, word, at))


def _written(text: str, word: str, at: int) -> tuple[int, int]:
    """Where a word stands from an offset on; there may be blanks around its dots."""
    found = re.search(r"\s*\.\s*".join(map(re.escape, word.split("."))), text[at:])
    return (at + found.start(), at + found.end()) if found else (at, min(at + 1, len(text)))


def stray_text(parsed: Parsed, node: nodes.Node) -> Span | None:
    """The first line of what stands at the top of a file; None if it is blank."""
    text, at = parsed.source.text, max(node.lineno, parsed.start)
    if isinstance(node, nodes.Output):
        parts = node.nodes
        if all(isinstance(p, nodes.TemplateData) and not p.data.strip() for p in parts):
            return None
    else:
        at = text.rfind("{%", parsed.start, at + 1)
    at = skip_space(text, at)
    end = text.find("\n", at)
    line = text[at : len(text) if end < 0 else end]
    return parsed.source.span(at, at + len(line.rstrip()))


def skip_space(text: str, at: int) -> int:
    """The offset of the next character that is not white space."""
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _offsets(node: nodes.Node) -> list[int]:
    found: list[int] = []
    pending = [node]
    while pending:
        one = pending.pop()
        if not isinstance(one, _PLACELESS):
            found.append(one.lineno)
        if not isinstance(one, _STATEMENTS):
            pending.extend(one.iter_child_nodes())
    return found
