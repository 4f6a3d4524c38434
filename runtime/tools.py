"""What a model step is handed at run time: a model to ask, checks to judge by, tokens to count."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .requests import Message
from .verdict import Row, Verdict

if TYPE_CHECKING:
    from .checkpool import CheckSpec
    from .engines.base import Tokens
    from .ledger import Entry
    from .repairs import Repair

Ask = Callable[[tuple[Message, ...], Mapping[str, Any], int], Awaitable["Entry"]]
"""Messages, sampling and draw to a completion, from the ledger or the engine."""

Judge = Callable[[tuple["CheckSpec", ...], Row], Awaitable[tuple[Verdict, ...]]]
"""Verdicts of checks on a row, in order, up to the first failure."""


@dataclass(frozen=True, slots=True)
class Line:
    """A model that a step can ask.

    Attributes:
        ask: See `Ask`.
        tokens: Its tokenizer.
        context: Its context length in tokens, if known.
    """

    ask: Ask
    tokens: Tokens
    context: int | None = None


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
    repairs: Mapping[int, Repair] = field(default_factory=dict)
    """The repairs among its rungs, by their places in the ladder."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text by the step's model."""
        return self.tokens.count(texts)


class _NoTokens:
    """Counts nothing: a step without a model has no tokenizer."""

    def count(self, texts: Sequence[str]) -> list[int]:
        return [0] * len(texts)

    def count_chat(self, chats: Sequence[Sequence[Message]]) -> list[int]:
        return [0] * len(chats)

    @property
    def special(self) -> tuple[str, ...]:
        return ()


async def _ask_nobody(messages: tuple[Message, ...], sampling: Mapping[str, Any], draw: int) -> Any:
    raise AssertionError("this step has no model")


NOBODY = Line(_ask_nobody, _NoTokens())
"""The line of a step that calls no model of its own."""


def no_model(judge: Judge, rule: str) -> Tools:
    """Tools of a step that calls no model."""
    return Tools(NOBODY.ask, judge, NOBODY.tokens, rule)
