"""The protocol that every engine meets. One file an engine, found by its folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..requests import Completion, Message, Request, begun_of


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model as the recipe names it, ready for an engine.

    Attributes:
        name: The recipe's name for it (`writer`).
        engine: `local`, `http`, `fake`, …
        model: What follows the engine in `use:` (`smollm2-135m`, `./x.gguf`, `hf://org/repo/f.gguf`).
        urls: Addresses of equal servers of an `http` model, their `${NAME}` filled in.
        key: Secret of an `http` model, from the environment; never written anywhere.
        placement: The engine's whitelist of settings that never change results.
        options: The keys of `OPTIONS` that the recipe gives: part of the model's identity.
        base: Folder that relative paths in `model` start from.
    """

    name: str
    engine: str
    model: str
    urls: tuple[str, ...] = ()
    key: str | None = None
    placement: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    base: str = "."


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What identifies a model's replies.

    Attributes:
        digest: Stable digest over weights (quantisation included), tokenizer and chat template;
            hosted models: id and endpoint alias.
        context: Context length in tokens, if known.
        exact_tokens: Whether `Tokens.count` is the model's own tokenizer or an estimate.
        template: Whether it has a chat template; true where that is the server's affair.
        begun: Version of how it goes on from what a prompt begins of the reply; 0 where that has
            never changed.
    """

    digest: str
    context: int | None
    exact_tokens: bool
    template: bool = True
    begun: int = 0

    def digest_for(self, messages: Sequence[Message]) -> str:
        """What identifies its reply to these turns.

        `begun` counts for no other turns, so that what was paid for under them is found again.
        """
        if not self.begun or not begun_of(messages):
            return self.digest
        told = f"{self.digest}\0begun\0{self.begun}"
        return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()


class Tokens(Protocol):
    """Counts tokens without loading weights."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, no special tokens added."""
        ...

    def count_chat(self, chats: Sequence[Sequence[Message]]) -> list[int]:
        """Prompt tokens of each conversation, chat template and generation prompt included."""
        ...

    @property
    def special(self) -> tuple[str, ...]:
        """Control tokens of the chat template, to be neutralised inside row text."""
        ...


class Engine(Protocol):
    """A loaded model. Made by the engine module's `open_engine`; closed exactly once."""

    @property
    def slots(self) -> int:
        """How many requests to keep in flight at most; the same from `start` to `close`."""
        ...

    async def start(self) -> None:
        """Load weights or connect. Raises `EngineError`."""
        ...

    async def complete(self, request: Request) -> Completion:
        """Send one request. Raises `EngineError`; never returns a half reply as whole."""
        ...

    async def close(self) -> None:
        """Free everything, child processes included."""
        ...

    def note(self) -> str:
        """How it goes, in a few words for progress; empty where there is nothing to say."""
        ...


class EngineModule(Protocol):
    """What a file in `runtime/engines/` offers."""

    PLACEMENT: Mapping[str, str]
    """Setting name to one line about it; the whitelist for `models.X.placement`."""

    OPTIONS: Mapping[str, str]
    """Keys of a model that it knows beside `use`, to one line about each: part of its identity."""

    def describe(self, spec: ModelSpec) -> ModelInfo:
        """Identify the model; reads files, starts nothing. Raises `EngineError`."""
        ...

    def tokens(self, spec: ModelSpec) -> Tokens:
        """A tokenizer for the model."""
        ...

    def open_engine(self, spec: ModelSpec) -> Engine:
        """An engine, not started yet."""
        ...
