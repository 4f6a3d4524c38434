"""A block's template without what changes nothing: comments, spaces in tags, edge blank lines."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from .template import lex

_SKIP = {
    "whitespace", "comment", "comment_begin", "comment_end", "raw_begin", "raw_end",
    "linecomment", "linecomment_begin", "linecomment_end",
}  # fmt: skip
_BEGIN = {"variable_begin": "{{", "block_begin": "{%"}
_BLANK = " \t\n"


def trim_edges(text: str) -> str:
    """A rendered block without blank lines at its beginning and end."""
    return _trim_end(_trim_start(text))


def _trim_start(text: str) -> str:
    first = len(text) - len(text.lstrip(_BLANK))
    return text[text.rfind("\n", 0, first) + 1 :]


def _trim_end(text: str) -> str:
    end = text.find("\n", len(text.rstrip(_BLANK)))
    return text if end < 0 else text[:end]


def canonical_block(source: str, includes: Mapping[str, str], depth: int = 0) -> list[Any]:
    """Text as strings, tags as lists of their words, an include as what it includes."""
    parts: list[Any] = []
    tag: list[str] | None = None
    for token in lex(source):
        if token.kind in _SKIP:
            continue
        if token.kind == "data":
            if parts and isinstance(parts[-1], str):
                parts[-1] += token.text
            else:
                parts.append(token.text)
        elif token.kind in _BEGIN:
            tag = [_BEGIN[token.kind]]
        elif token.kind in ("variable_end", "block_end"):
            parts.append(_include(tag or [], includes, depth) or tag)
            tag = None
        elif tag is not None:
            tag.append(repr(_string(token.text)) if token.kind == "string" else token.text)
    if depth == 0 and parts and isinstance(parts[0], str):
        parts[0] = _trim_start(parts[0])
    if depth == 0 and parts and isinstance(parts[-1], str):
        parts[-1] = _trim_end(parts[-1])
    return [p for p in parts if p != ""]


def _string(literal: str) -> str:
    """The value of a string as Jinja reads it: unlike Python's, it may run over lines."""
    return literal[1:-1].encode("ascii", "backslashreplace").decode("unicode-escape")


def _include(tag: list[str], includes: Mapping[str, str], depth: int) -> list[Any] | None:
    if len(tag) == 3 and tag[1] == "include" and depth < 16:
        text = includes.get(ast.literal_eval(tag[2]))
        if text is not None:
            return ["include", *canonical_block(text, includes, depth + 1)]
    return None
