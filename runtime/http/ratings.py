"""Calls to servers whose models score or embed: what is sent, and what comes back.

`/score` and `/classify` are vLLM's; `/embeddings` is OpenAI's and everybody's. A reward is asked
for as vLLM's documentation of pooling models says: the conversation, without the activation that
would press the number between 0 and 1. Models that are no classifiers serve it as `/pooling`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..requests import EngineError, Request
from ..scoring.wire import score_reply, text_of, texts_of, vector_reply
from .address import Api

CALLS: Mapping[str, tuple[Api, ...]] = {
    "reward": ("classify", "pooling"),
    "score": ("score",),
    "embed": ("embeddings",),
}
"""Task to the calls that serve it, the first that a server knows."""


@dataclass(frozen=True, slots=True)
class Rating:
    """What came back: the reply, and the tokens of the question where the server counted them."""

    reply: str
    prompt_tokens: int | None


def body_of(api: Api, model: str, request: Request, extra: Mapping[str, Any]) -> bytes:
    """The request as JSON. Raises `EngineError`, if its messages are not what the call takes."""
    import orjson

    asked: dict[str, Any]
    match api:
        case "score":
            first, second = texts_of(request.messages)
            asked = {"text_1": first, "text_2": second}
        case "embeddings":
            asked = {"input": [text_of(request.messages)], "encoding_format": "float"}
        case _:
            turns = [{"role": m.role, "content": m.content} for m in request.messages]
            asked = {"messages": turns, "use_activation": False}
    return orjson.dumps({"model": model, **asked, **extra})


def read_rating(api: Api, answer: Mapping[str, Any]) -> Rating:
    """Read the answer to a call that went well.

    Raises:
        EngineError: `bad-reply`, if it is none.
    """
    data = answer.get("data")
    if not isinstance(data, list) or len(data) != 1 or not isinstance(data[0], dict):
        raise _bad("holds no data")
    usage = answer.get("usage")
    counts: Mapping[str, Any] = usage if isinstance(usage, dict) else {}
    spent = counts.get("prompt_tokens", counts.get("total_tokens"))
    tokens = spent if isinstance(spent, int) and not isinstance(spent, bool) else None
    return Rating(_reply(api, data[0]), tokens)


def _reply(api: Api, item: Mapping[str, Any]) -> str:
    match api:
        case "embeddings":
            return vector_reply(_numbers(item.get("embedding")))
        case "score":
            return score_reply(_numbers([item.get("score")])[0])
        case "classify":
            return score_reply(_alone(_numbers(item.get("probs"))))
        case _:
            found = item.get("data")
            # One number a token where the model is asked token by token: the last is the answer's.
            last = found[-1] if isinstance(found, list) and found else found
            return score_reply(_alone(_numbers(last if isinstance(last, list) else found)))


def _alone(numbers: list[float]) -> float:
    if len(numbers) != 1:
        raise EngineError(
            "bad-reply",
            f"the server's model has {len(numbers)} outputs; one that scores has 1",
            retryable=False,
        )
    return numbers[0]


def _numbers(found: object) -> list[float]:
    numbers = found if isinstance(found, list) else []
    good = all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers)
    if not numbers or not good:
        raise _bad("holds no numbers")
    return [float(n) for n in numbers]


def _bad(what: str) -> EngineError:
    return EngineError("bad-reply", f"the server's reply {what}", retryable=True)
