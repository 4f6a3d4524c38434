"""A model call and what came of it: the currency of engines, scheduler and ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["system", "user", "assistant"]
Finish = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


def begun_of(messages: Sequence[Message]) -> str:
    """What the prompt begins of the reply, which the model goes on from; empty if nothing."""
    last = messages[-1] if messages else None
    return last.content if last is not None and last.role == "assistant" else ""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a reply is drawn. None means the engine's own default, which is then not identity."""

    temperature: float = 0.7
    top_p: float = 1.0
    top_k: int | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    stop: tuple[str, ...] = ()
    max_tokens: int = 512
    schema: str | None = None
    """JSON Schema, as JSON text, that the reply is held to while it is drawn."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call of a model.

    Attributes:
        model: Digest of weights, tokenizer and chat template (`ModelInfo.digest`).
        messages: The rendered turns.
        sampling: How the reply is drawn. `max_tokens` stands in the record, not in the key.
        draw: Counts samples and attempts of one row, so that a retry never meets its own failure.
        seed: Sent to the engine; derived from the recipe's seed, the key and the draw.
    """

    model: str
    messages: tuple[Message, ...]
    sampling: Sampling
    draw: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """What an engine returned for a request.

    Attributes:
        text: The reply, unstripped.
        finish: `stop`, or `length` if it hit `max_tokens`.
        prompt_tokens: As the engine counted.
        completion_tokens: As the engine counted.
        max_tokens: The limit under which it was made.
        extra: What else came with it, as text by name: reasoning, logprobs (JSON).
        seed: The seed it was drawn with, where the engine could not take the request's.
        waited: Seconds that it waited inside the engine before it was sent: no part of its time.
        cached_tokens: Of `prompt_tokens`, those that the engine says it had seen before.
    """

    text: str
    finish: Finish
    prompt_tokens: int
    completion_tokens: int
    max_tokens: int
    extra: dict[str, str] = field(default_factory=dict)
    seed: int | None = None
    waited: float = 0.0
    cached_tokens: int = 0


class EngineError(Exception):
    """Infrastructure failed, the data did not: retried with backoff, then an `error` outcome.

    Attributes:
        retryable: Whether the same request may succeed later.
        kind: A short word to count by: timeout, reset, status-500, crash, overlong, …
        retry_after: Seconds that the server asked for, if it did.
    """

    def __init__(
        self, kind: str, message: str, *, retryable: bool, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.retryable = retryable
        self.retry_after = retry_after
