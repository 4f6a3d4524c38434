"""Jinja's syntax tree with exact places.

Jinja's nodes carry a line and no column. Its parser copies `lineno` from tokens to nodes without
looking at it, so tokens are handed to it whose `lineno` is their offset in the text. The offset is
found by searching forward for the token's characters: only white space is skipped in between.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import TokenStream

from ..diagnostics import Diagnostic, Edit
from ..suggest import nearest
from .source import Source

OPTIONS: dict[str, Any] = {"trim_blocks": True, "lstrip_blocks": True, "autoescape": False}
"""How prompts are lexed, here and when they are rendered: a tag alone on a line leaves no line."""

TAGS = ("if", "elif", "else", "endif", "for", "endfor", "include", "block", "endblock")
MAX_DIGITS = 40
MAX_TAGS = 2_000
SUBSET = "prompts have output, a few filters, `if`, `for`, `include` and `block`"

_AT = re.compile(r"unexpected char .* at (\d+)", re.DOTALL)
_UNCLOSED = re.compile(r"innermost block that needs to be closed is '(\w+)'")
_WORDS = (
    ("token 'end of print statement'", "`}}`"),
    ("token 'end of statement block'", "`%}`"),
    ("'begin of statement block'", "`{%`"),
    ("'end of template'", "the end of the file"),
)
_QUOTED = re.compile(r"unexpected '(.)'")


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it was written: where it starts, Jinja's name for its kind, its characters."""

    at: int
    kind: str
    text: str

    @property
    def end(self) -> int:
        """The offset behind it."""
        return self.at + len(self.text)


class _LexError(Exception):
    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


class _Placed(Environment):
    """An environment whose tokens carry offsets as line numbers."""

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        placed = ((t.at, t.kind, t.text) for t in lex(source))
        return TokenStream(self.lexer.wrap(placed), name, filename)


_JINJA = _Placed(**OPTIONS)


def lex(text: str, start: int = 0) -> Iterator[Token]:
    """Tokens of a text from `start` on, white space and comments among them."""
    at = start
    try:
        for _, kind, value in _JINJA.lexer.tokeniter(text[start:], None):
            found = text.find(value, at)
            at = found if found >= 0 else at
            yield Token(at, kind, value)
            at += len(value)
    except TemplateSyntaxError as error:
        message = error.message or "cannot be read"
        if match := _AT.match(message):
            raise _LexError(message[: match.start(1) - 4], start + int(match[1])) from None
        if match := _QUOTED.match(message):
            at = max(at, text.find(match[1], at))
        if message.startswith("Missing end"):
            at = max(start, text.rfind("{", start, at + 1))
        raise _LexError(message, at) from None


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file's syntax tree.

    Attributes:
        source: The file.
        start: Where its template begins, behind the front matter.
        tree: Nodes whose `lineno` is an offset.
        tokens: In order.
        ends: Where a token starts to where it ends.
    """

    source: Source
    start: int
    tree: nodes.Template
    tokens: tuple[Token, ...]
    ends: dict[int, int]


def parse(source: Source, start: int = 0) -> tuple[Parsed | None, tuple[Diagnostic, ...]]:
    """Parse a file's Jinja text from `start` on; None if it cannot be read."""
    text = source.text

    def problem(message: str, at: int, end: int | None = None, **facts: Any) -> Diagnostic:
        stop = end or min(at + 1, len(text))
        return Diagnostic("P211", message, source.span(at, stop), **facts)

    tokens: tuple[Token, ...] = ()
    try:
        tokens = tuple(lex(text, start))
        if strange := (
            *_strange_tags(source, tokens),
            *_long_numbers(source, tokens),
            *_too_many(source, tokens),
        ):
            return None, strange
        # Spaces for what comes before keep the offsets that the parser sees those of the file.
        tree = _JINJA.parse(" " * start + text[start:] if start else text)
    except _LexError as error:
        return None, (problem(_message(str(error)), min(error.at, max(0, len(text) - 1))),)
    except TemplateSyntaxError as error:
        at = min(error.lineno, max(0, len(text) - 1))
        if found := _unbalanced(source, tokens, start):
            return None, (found,)
        end = next((t.end for t in tokens if t.at == at and t.text.strip()), None)
        return None, (problem(_message(error.message or ""), at, end),)
    except RecursionError:
        return None, (problem("nested too deeply", start),)
    ends = {t.at: t.end for t in tokens if t.text and t.kind != "whitespace"}
    return Parsed(source, start, tree, tokens, ends), ()


def block_sources(parsed: Parsed) -> dict[str, str]:
    """The Jinja source of each block, by name; of equal names the first."""
    found: dict[str, str] = {}
    open_at: list[tuple[str, int]] = []
    tags = [t for t in parsed.tokens if t.kind not in ("whitespace", "data")]
    for i, tag in enumerate(tags):
        if tag.kind != "block_begin" or i + 1 == len(tags):
            continue
        if tags[i + 1].text == "block":
            end = next(t for t in tags[i:] if t.kind == "block_end")
            open_at.append((tags[i + 2].text, end.end))
        elif tags[i + 1].text == "endblock" and open_at:
            name, start = open_at.pop()
            body = parsed.source.text[start : tag.at]
            found.setdefault(name, body.rstrip() if tag.text == "{%-" else body)
    return found


def _strange_tags(source: Source, tokens: tuple[Token, ...]) -> Iterator[Diagnostic]:
    shown = [t for t in tokens if t.kind != "whitespace"]
    for before, tag in pairwise(shown):
        if before.kind != "block_begin" or tag.kind != "name" or tag.text in TAGS:
            continue
        close = nearest(tag.text, TAGS)
        yield Diagnostic(
            "P211",
            f"`{tag.text}` is not a tag of prompts",
            source.span(tag.at, tag.end),
            notes=(SUBSET,),
            help=f"did you mean `{close}`?" if close else None,
        )


def _too_many(source: Source, tokens: tuple[Token, ...]) -> Iterator[Diagnostic]:
    """More tags than anybody writes: they take a minute to compile."""
    tags = [t for t in tokens if t.kind in ("variable_begin", "block_begin")]
    if len(tags) > MAX_TAGS:
        tag = tags[MAX_TAGS]
        message = f"a file of a prompt has at most {MAX_TAGS:,} tags"
        yield Diagnostic("P211", message, source.span(tag.at, tag.end))


def _long_numbers(source: Source, tokens: tuple[Token, ...]) -> Iterator[Diagnostic]:
    """Numbers that Python refuses to read, or reads as infinity."""
    for token in tokens:
        long = token.kind in ("integer", "float") and len(token.text) > MAX_DIGITS
        if long or (token.kind == "float" and math.isinf(float(token.text.replace("_", "0")))):
            span = source.span(token.at, token.end)
            yield Diagnostic("P211", "this number is too large", span)


_ENDS = {"endif": "if", "endfor": "for", "endblock": "block"}
_SINGLE_TAG = re.compile(r"(?<!\{)\{[ \t]*((?:block|if|for)[ \t]+[^{}%\n]*?)[ \t]*\}")


def _unbalanced(source: Source, tokens: tuple[Token, ...], start: int) -> Diagnostic | None:
    """A tag that is never closed, or one that closes nothing."""
    tags = [t for t in tokens if t.kind not in ("whitespace", "data", "comment")]
    opened: list[tuple[Token, Token, str]] = []
    for i, (begin, tag) in enumerate(pairwise(tags)):
        if begin.kind != "block_begin":
            continue
        if tag.text in _ENDS.values():
            closing = next((t for t in tags[i:] if t.kind == "block_end"), tag)
            words = " ".join(source.text[tag.at : closing.at].split()) or tag.text
            opened.append((begin, closing, words))
        elif of := _ENDS.get(tag.text):
            if not opened:
                return _closes_nothing(source, begin, tag, start)
            if not opened[-1][2].startswith(of):
                break
            opened.pop()
    if not opened:
        return None
    begin, closing, words = opened[-1]
    end = f"`{{% end{words.split()[0]} %}}`"
    span = source.span(begin.at, closing.end)
    message = f"`{{% {words} %}}` is never closed"
    return Diagnostic("P211", message, span, help=f"write {end} behind what belongs to it")


def _closes_nothing(source: Source, begin: Token, tag: Token, start: int) -> Diagnostic:
    text = source.text
    if found := next(_SINGLE_TAG.finditer(text, start, begin.at), None):
        span = source.span(*found.span())
        better = f"{{% {found[1]} %}}"
        return Diagnostic("P211", "a tag is written between `{%` and `%}`", span,
                          help=f"write `{better}`", fix=(Edit(span, better),))  # fmt: skip
    span = source.span(tag.at, tag.end)
    hint = f"open it with `{{% {_ENDS[tag.text]} … %}}`, or take it out"
    return Diagnostic("P211", f"`{{% {tag.text} %}}` closes nothing", span, help=hint)


def _message(jinja: str) -> str:
    """Jinja's first sentence, in words that name what is to be typed."""
    if found := _UNCLOSED.search(jinja):
        return f"`{{% {found[1]} %}}` is not closed before this"
    first = jinja.split(". ")[0].rstrip(".").replace("\n", " ")
    for theirs, ours in _WORDS:
        first = first.replace(theirs, ours)
    return "the template cannot be read: " + (first[:1].lower() + first[1:])[:160]
