"""Tokens of a reply that its text does not show: what the model thought before it wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .ledger import Entry
    from .requests import Completion


def hidden_tokens(made: Completion | Entry) -> int:
    """How many of `completion_tokens` are thoughts that were kept apart from the text.

    The server's own count, where it sent one. Where it sent the thoughts themselves, what they
    hold of all characters: the engine's count is of thoughts and text together.
    """
    told = made.extra.get("reasoning_tokens", "")
    if told.isdecimal():
        return min(int(told), made.completion_tokens)
    thought = len(made.extra.get("reasoning", ""))
    if not thought:
        return 0
    return round(made.completion_tokens * thought / (thought + len(made.text)))
