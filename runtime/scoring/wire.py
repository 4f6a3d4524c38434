"""How a model that scores is asked and answers, in the words of every other model.

It gets messages and replies with JSON text, so that ledger, window, budgets and replay serve it as
they serve a model that writes. `reward` gets a conversation; `score` and `nli` a pair, the first
text (the premise) as the user's turn and the second (the hypothesis) as the assistant's; `embed`
one text as the user's turn.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..requests import Completion, EngineError, Message, Request

DIGITS = 6
"""Digits behind the point that are kept: more than a 16-bit model can mean."""

PLAIN: Mapping[str, Any] = {"temperature": 0.0, "top_p": 1.0, "max_tokens": 1}
"""Nothing is drawn and no token written: the same question has the same answer."""


@dataclass(frozen=True, slots=True)
class Entailment:
    """What a model of natural language inference says; the three add up to 1."""

    entailment: float
    neutral: float
    contradiction: float


def pair(first: str, second: str) -> tuple[Message, ...]:
    """The question for `score` and `nli`."""
    return (Message("user", first), Message("assistant", second))


def texts_of(messages: Sequence[Message]) -> tuple[str, str]:
    """Undo `pair`. Raises `EngineError` for anything else."""
    if [m.role for m in messages] != ["user", "assistant"]:
        raise EngineError(
            "request", "a pair is one turn of the user and one of the assistant", retryable=False
        )
    return messages[0].content, messages[1].content


def text_of(messages: Sequence[Message]) -> str:
    """The one text of `embed`. Raises `EngineError` for anything else."""
    if [m.role for m in messages] != ["user"]:
        raise EngineError("request", "one text is embedded at a time", retryable=False)
    return messages[0].content


def score_reply(value: float) -> str:
    """The reply of `reward` and `score`. Raises `EngineError` for what is no number."""
    return json.dumps({"score": _finite(value)})


def entailment_reply(found: Entailment) -> str:
    """The reply of `nli`. Raises `EngineError` for what is no number."""
    parts = ("entailment", "neutral", "contradiction")
    return json.dumps({name: _finite(getattr(found, name)) for name in parts})


def vector_reply(values: Sequence[float]) -> str:
    """The reply of `embed`. Raises `EngineError` for what is no number."""
    return json.dumps([_finite(v) for v in values], separators=(",", ":"))


def read_score(reply: str) -> float:
    """What `score_reply` wrote. Raises `EngineError`, if the model does not score."""
    found = _parsed(reply)
    if isinstance(found, dict) and _is_number(found.get("score")):
        return float(found["score"])
    raise _stranger("`task: reward` or `task: score`", reply)


def read_entailment(reply: str) -> Entailment:
    """What `entailment_reply` wrote. Raises `EngineError`, if the model does not infer."""
    found = _parsed(reply)
    names = ("entailment", "neutral", "contradiction")
    if isinstance(found, dict) and all(_is_number(found.get(name)) for name in names):
        return Entailment(*(float(found[name]) for name in names))
    raise _stranger("`task: nli`", reply)


def read_vector(reply: str) -> tuple[float, ...]:
    """What `vector_reply` wrote. Raises `EngineError`, if the model does not embed."""
    found = _parsed(reply)
    if isinstance(found, list) and found and all(map(_is_number, found)):
        return tuple(float(v) for v in found)
    raise _stranger("`task: embed`", reply)


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """The cosine of the angle between two vectors; 0 where one of them is nothing.

    >>> cosine((1.0, 0.0), (1.0, 1.0))
    0.7071067811865475
    """
    dot = math.fsum(a * b for a, b in zip(one, other, strict=True))
    size = math.sqrt(math.fsum(a * a for a in one) * math.fsum(b * b for b in other))
    return dot / size if size else 0.0


def scored(request: Request, reply: str, prompt_tokens: int) -> Completion:
    """The completion of a request to a model that scores: it writes no tokens."""
    return Completion(
        text=reply,
        finish="stop",
        prompt_tokens=prompt_tokens,
        completion_tokens=0,
        max_tokens=request.sampling.max_tokens,
    )


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise EngineError("bad-reply", f"the score is {value}", retryable=False)
    return round(float(value), DIGITS)


def _parsed(reply: str) -> Any:
    try:
        return json.loads(reply)
    except ValueError:
        return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _stranger(wanted: str, reply: str) -> EngineError:
    said = reply if len(reply) <= 60 else f"{reply[:59]}…"
    return EngineError(
        "task", f"the model must have {wanted}; its reply was {said!r}", retryable=False
    )
