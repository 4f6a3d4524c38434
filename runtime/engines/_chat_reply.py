"""What a server answered: a reply, or an error that says whether to try again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ..http.address import Api
from ..requests import EngineError, Finish
from ._logprobs import kept_logprobs

_FINISH: Mapping[str, Finish] = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
}
_RETRYABLE = frozenset({408, 409, 425, 429})
# How servers say that a prompt does not fit: OpenAI and vLLM, llama.cpp, SGLang and TGI.
_OVERLONG = re.compile(
    r"context[ _]?(length|size|window)|maximum context|exceed_context|maximum model length"
    r"|`?inputs`? must have less than|prompt is too long",
    re.IGNORECASE,
)
_SHOWN = 300
"""Characters of a server's own words that an error repeats."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The parts of a chat completion that are used; counts are None where none were sent."""

    text: str
    finish: Finish
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int = 0
    extra: dict[str, str] = field(default_factory=dict)


def read_reply(body: bytes, api: Api = "chat") -> Reply:
    """Read the answer to a request that went well.

    Raises:
        EngineError: `bad-reply` if it is not a whole completion, `filtered` if the server
            withheld it, `status-…` if it is an error after all.
    """
    answer = read_answer(body)
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise _bad("holds no choices")
    choice = choices[0]
    message = choice.get("message") if api == "chat" else choice
    if not isinstance(message, dict):
        raise _bad("holds no message")
    reason = choice.get("finish_reason")
    if reason == "content_filter":
        raise EngineError("filtered", "the server withheld the reply", retryable=False)
    finish = _FINISH.get(reason) if isinstance(reason, str) else None
    if finish is None:
        raise _bad(f"ends with finish_reason {reason!r}")
    text = message.get("content" if api == "chat" else "text")
    if text is None and finish == "length":
        text = ""  # The limit was reached while the model was still thinking.
    if not isinstance(text, str):
        raise _bad("holds no text")
    usage = answer.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    return Reply(
        text=text,
        finish=finish,
        prompt_tokens=_count(counts.get("prompt_tokens")),
        completion_tokens=_written(counts),
        cached_tokens=_detail(counts, "prompt_tokens_details", "cached_tokens") or 0,
        extra={**_thoughts(message, counts), **kept_logprobs(choice)},
    )


def read_answer(body: bytes) -> dict[str, Any]:
    """The JSON object that a server answered with.

    Raises:
        EngineError: `bad-reply` if it is none, `status-…` if it is an error after all.
    """
    answer = _parse(body)
    if not isinstance(answer, dict):
        raise _bad("is not a JSON object")
    if answer.get("error"):
        # Some gateways answer 200 and put the failure of the server behind them into the body.
        code = answer["error"].get("code") if isinstance(answer["error"], dict) else None
        raise read_error(code if isinstance(code, int) else 502, {}, body)
    return answer


def read_error(status: int, headers: Mapping[str, str], body: bytes) -> EngineError:
    """The error that an answer with another status than 200 stands for."""
    said = _words(body)
    if status in (400, 413, 422) and _OVERLONG.search(said):
        return EngineError("overlong", f"the prompt does not fit: {said}", retryable=False)
    if 300 <= status < 400:
        place = headers.get("Location", "elsewhere")
        return EngineError(
            f"status-{status}", f"the server has moved to {place}; put that in url", retryable=False
        )
    hint = {
        401: "the server refused the key",
        403: "the server refused the key",
        404: "the server knows no such address or model",
    }.get(status, f"the server answered {status}")
    # An account without money answers 429 as well, and waiting does not fill it.
    broke = "insufficient_quota" in said
    return EngineError(
        f"status-{status}",
        f"{hint}: {said}" if said else hint,
        retryable=(status >= 500 and status != 501) or (status in _RETRYABLE and not broke),
        retry_after=_retry_after(headers.get("Retry-After")),
    )


def _bad(what: str) -> EngineError:
    return EngineError("bad-reply", f"the server's reply {what}", retryable=True)


def _parse(body: bytes) -> Any:
    """JSON, also with NaN and infinite numbers, which some servers write for log probabilities."""
    import orjson

    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        answer = json.loads(body)
        # Half a pair of code units is no character, and cannot be stored.
        return json.loads(json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise _bad("is not JSON") from None


def _thoughts(message: Mapping[str, Any], counts: Mapping[str, Any]) -> dict[str, str]:
    extra = {}
    thought = message.get("reasoning_content") or message.get("reasoning")
    if isinstance(thought, str):
        extra["reasoning"] = thought
    spent = _detail(counts, "completion_tokens_details", "reasoning_tokens")
    if spent is None:  # what a server counts in the whole alone, it has thought
        spent = (_written(counts) or 0) - (_count(counts.get("completion_tokens")) or 0)
    if spent:
        extra["reasoning_tokens"] = str(spent)
    return extra


def _written(counts: Mapping[str, Any]) -> int | None:
    """Tokens that were written, and are billed: the thoughts too, also where they stand apart.

    By the protocol `completion_tokens` holds them. Some servers leave them out and count them in
    `total_tokens`, or in the details, alone.
    """
    made, whole = _count(counts.get("completion_tokens")), _count(counts.get("total_tokens"))
    if made is None:
        return None
    prompt = _count(counts.get("prompt_tokens"))
    if whole is not None and prompt is not None and whole > prompt + made:
        return whole - prompt
    thought = _detail(counts, "completion_tokens_details", "reasoning_tokens") or 0
    return made if thought <= made else made + thought


def _detail(counts: Mapping[str, Any], group: str, name: str) -> int | None:
    details = counts.get(group)
    return _count(details.get(name)) if isinstance(details, dict) else None


def _count(value: Any) -> int | None:
    """A number of tokens, or None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _words(body: bytes) -> str:
    """The server's own words, shortened; the code stands first, where there is one."""
    import orjson

    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body[:_SHOWN].decode("utf-8", errors="replace").strip()
    error = answer.get("error", answer) if isinstance(answer, dict) else answer
    if isinstance(error, dict):
        kind = error.get("code") or error.get("type")
        words = error.get("message") or error.get("detail") or error
        error = f"{kind}: {words}" if isinstance(kind, str) else words
    return str(error)[:_SHOWN]


def _retry_after(value: str | None) -> float | None:
    """Seconds to wait: the header holds seconds or a date (RFC 9110, section 10.2.3)."""
    if value is None:
        return None
    try:
        wait = float(value)
    except ValueError:
        try:
            until = parsedate_to_datetime(value)
        except ValueError:
            return None
        if until.tzinfo is None:
            until = until.replace(tzinfo=UTC)
        wait = (until - datetime.now(UTC)).total_seconds()
    return max(0.0, wait) if wait < float("inf") else None
