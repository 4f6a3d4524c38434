"""What a model step is handed at run time: a model to ask, checks to judge by, tokens to count."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .requests import Message
from .verdict import Row, Verdict

if TYPE_CHECKING:
    from .checkpool import CheckSpec
    from .engines.base import Tokens
    from .ledger import Entry

Ask = Callable[[tuple[Message, ...], Mapping[str, Any], int], Awaitable["Entry"]]
"""Messages, sampling and draw to a completion, from the ledger or the engine."""

Judge = Callable[[tuple["CheckSpec", ...], Row], Awaitable[tuple[Verdict, ...]]]
"""Verdicts of checks on a row, in order, up to the first failure."""


@dataclass(frozen=True, slots=True)
class Tools:
    """See the module. While planning, `ask` and `judge` are never called."""

    ask: Ask
    judge: Judge
    tokens: Tokens
    rule: str
    """Digest of what the step does; identity of the rows that it makes."""
    context: int | None = None
    """Context length of the model in tokens, if known."""
    passes: int = 1
    """How often a ladder is gone down before a row is given up: see `run --retry rejected`."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text by the step's model."""
        return self.tokens.count(texts)


def no_model(judge: Judge, rule: str) -> Tools:
    """Tools of a step that calls no model."""

    async def ask(messages: tuple[Message, ...], sampling: Mapping[str, Any], draw: int) -> Entry:
        raise AssertionError("this step has no model")

    return Tools(ask, judge, _NoTokens(), rule)


class _NoTokens:
    """Counts nothing: a step without a model has no tokenizer."""

    def count(self, texts: Sequence[str]) -> list[int]:
        return [0] * len(texts)

    def count_chat(self, chats: Sequence[Sequence[Message]]) -> list[int]:
        return [0] * len(chats)

    @property
    def special(self) -> tuple[str, ...]:
        return ()
