"""Control tokens of chat templates, typed into a prompt by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ..diagnostics import Diagnostic
from .flow import blocks
from .template import Parsed

_BEGINNINGS = (
    "<s>", "<bos>", "[BOS]", "<|begin_of_text|>", "<|endoftext|>", "<|startoftext|>", "<|bos|>",
    "<｜begin▁of▁sentence｜>",
)  # fmt: skip
_BEGINNING = re.compile(rf"\s*({'|'.join(map(re.escape, _BEGINNINGS))})")
_CONTROL = re.compile(
    r"<\|[A-Za-z_][\w ]{0,62}\|>|<｜[^\s<>｜]{1,64}｜>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>"
)


def beginning_of_sequence(parsed: Parsed) -> Iterator[Diagnostic]:
    """The first turn begins with the token that tokenizers put there themselves."""
    found = blocks(parsed)
    first = found.get("system") or found.get("user")
    if first is None:
        return
    data = next((t for t in parsed.tokens if t.kind == "data" and t.at >= first.lineno), None)
    match = _BEGINNING.match(data.text) if data else None
    if data and match:
        yield Diagnostic(
            "P208",
            f"the prompt begins with `{match[1]}`, and the tokenizer adds one",
            parsed.source.span(data.at + match.start(1), data.at + match.end(1)),
            help="take it out",
        )


def control_tokens(files: Iterable[Parsed], told: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Tokens that make turns, in the prompt's own text; the engine's chat template writes them.

    Args:
        files: The prompt, and what it includes.
        told: What has been said of some of them already.
    """
    places = {d.span for d in told}
    for parsed in files:
        for token in parsed.tokens:
            if token.kind != "data":
                continue
            for match in _CONTROL.finditer(token.text):
                span = parsed.source.span(token.at + match.start(), token.at + match.end())
                if span in places:
                    continue
                yield Diagnostic(
                    "P214",
                    f"`{match[0]}` is a control token: it would end or begin a turn",
                    span,
                    help="take it out; the blocks of the prompt are its turns",
                )
