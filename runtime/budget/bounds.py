"""The most input tokens that a request can have, without a tokenizer."""

from __future__ import annotations

from ..requests import Request

PER_CHAT = 128
"""What a chat template may add once: a first token, a default system prompt, a date, the opening
of the reply. Templates of common models add 3 to 60."""
PER_MESSAGE = 16
"""What it may add around each turn: role, separators, line breaks. Common ones add 3 to 8."""


def input_bound(request: Request) -> int:
    """An upper bound of the prompt's tokens.

    A byte-level tokenizer begins with one token a byte and only ever joins them; one over
    characters falls back to bytes for those it does not know, and adds at most a leading space: so
    no text has more tokens than UTF-8 bytes. A schema counts too, since servers may show it to the
    model. Not bounded are tokenizers that expand text first (NFKC: `ﷺ` becomes 18 letters) and
    prompts that a server adds in secret; what those come to is settled, and told as overshoot.
    """
    size = PER_CHAT + len((request.sampling.schema or "").encode())
    for message in request.messages:
        text = message.content
        size += PER_MESSAGE + (len(text) if text.isascii() else len(text.encode()))
    return size
