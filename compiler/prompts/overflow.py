"""Prompts that cannot fit a model's context whatever the row, known without its tokenizer."""

from __future__ import annotations

from collections.abc import Mapping

from .examples import Examples
from .flow import blocks, pieces
from .record import REPLY
from .template import Parsed


def fewest_tokens(parsed: Parsed, examples: Examples, included: Mapping[str, Parsed]) -> int:
    """A bound from below on the tokens of a rendered prompt: its own words, each one token.

    Tokenizers in use split text at white space before they merge anything, so that no token holds
    the letters of two words; the bound is as sound as that (one that merges over spaces, SuperBPE
    say, is the exception). Text that stands under a condition and the values of rows count nothing,
    and of few-shot examples as many as a row gets, the shortest.
    """
    words = {name: 0 for name in ("system", "user", "assistant")}
    for name, block in blocks(parsed).items():
        if name in words:
            found = pieces(parsed, block.body, included)
            words[name] = len("".join(p.text for p in found if p.always).split())
    replies = sorted(len(str(dict(e)[REPLY]).split()) for e in examples.examples)
    turns = replies[: examples.k]
    return sum(words.values()) + sum(turns) + words["user"] * len(turns)
