"""Token counts where the model's own way to count is not at hand; labelled as estimates."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ..requests import Message

_PIECE = re.compile(r"\s*\S{1,4}")
_TURN = 4
"""Tokens that a chat template commonly spends on the marks around one turn."""


def pieces(text: str) -> list[str]:
    """Cut a text into runs of at most four characters, none across white space.

    >>> pieces("The kettle sings")
    ['The', ' kett', 'le', ' sing', 's']
    """
    return _PIECE.findall(text)


def size_of(text: str) -> int:
    """How many `pieces` there are, without cutting any."""
    return sum((len(word) + 3) >> 2 for word in text.split())


class EstimatedTokens:
    """Counts four characters a token inside each word, or as told. Meets `base.Tokens`."""

    def __init__(self, count: Callable[[Sequence[str]], list[int]] | None = None) -> None:
        self._count = count

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text."""
        return self._count(texts) if self._count else [size_of(text) for text in texts]

    def count_chat(self, chats: Sequence[Sequence[Message]]) -> list[int]:
        """Estimated prompt tokens of each conversation: its texts, four a turn, four to reply."""
        return [sum(self.count([m.content for m in c])) + _TURN * (len(c) + 1) for c in chats]

    @property
    def special(self) -> tuple[str, ...]:
        """None are known."""
        return ()
