"""What a fault server does with a request, decided by its body and by how often it came."""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

FAULTS = (
    "timeout",  # accepts the request and says nothing
    "reset",  # closes the connection instead of a reply
    "half",  # closes it in the middle of the body
    "429",
    "429-after",  # with Retry-After
    "500",
    "503",
    "not-json",
    "bad-shape",
    "empty",  # a reply without text
    "nan",  # log probabilities that are no JSON numbers
    "truncated",  # finish_reason length
    "filtered",
    "drip",  # a whole reply, a few bytes at a time
    "close",  # a whole reply, and the kept connection closed without a word
    "overlong",
)
HARMLESS = frozenset({"empty", "nan", "truncated", "drip", "close"})
"""Those that hand out a whole reply."""

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}


@dataclass(slots=True)
class Config:
    """How a fault server behaves; all of it may be changed while it runs.

    Attributes:
        rate: Share of requests that get a fault.
        kinds: Which, and how often compared with each other: `500=2,reset`. All alike if empty.
        latency: Seconds before a reply.
        spread: Sigma of log-normal latency, of which `latency` is then the median.
        seed: Decides who gets which fault.
        retry_after: Seconds that `429-after` asks for.
        silence: Seconds that `timeout` lasts.
        drip: Seconds that `drip` takes.
        capacity: Requests in flight beyond which it is full; 0 for any.
        full: The fault that it answers with when it is full.
        slow: Requests in flight beyond which each one more slows all of them; 0 for none.
        hang_every: Requests after which it hangs, all connections together; 0 for never.
        hang_for: Seconds that it hangs.
        die_every: Requests after which it dies: no listener, all connections cut; 0 for never.
        die_for: Seconds until it is back.
        words: Words of a reply; 0 for an echo of the last message.
        schema: Whether it takes a JSON Schema, or answers 400 to it.
    """

    rate: float = 0.0
    kinds: str = ""
    latency: float = 0.0
    spread: float = 0.0
    seed: int = 0
    retry_after: float = 1.0
    silence: float = 60.0
    drip: float = 0.3
    capacity: int = 0
    full: str = "429"
    slow: int = 0
    hang_every: int = 0
    hang_for: float = 1.0
    die_every: int = 0
    die_for: float = 1.0
    words: int = 0
    schema: bool = True

    def weights(self) -> dict[str, float]:
        """The kinds of fault and their weights."""
        if not self.kinds:
            return dict.fromkeys(FAULTS, 1.0)
        found = {}
        for part in self.kinds.split(","):
            name, _, weight = part.partition("=")
            if name not in FAULTS:
                raise ValueError(f"{name} is no fault; there are {', '.join(FAULTS)}")
            found[name] = float(weight or 1)
        return found

    def fault(self, body: bytes, attempt: int) -> str | None:
        """The fault of one request, if it gets one."""
        if self._draw(body, f"fault {attempt}") >= self.rate:
            return None
        weights = self.weights()
        left = self._draw(body, f"kind {attempt}") * sum(weights.values())
        *others, last = weights
        for kind in others:
            left -= weights[kind]
            if left < 0:
                return kind
        return last

    def delay(self, body: bytes, attempt: int, in_flight: int) -> float:
        """Seconds before the reply."""
        delay = self.latency
        if self.spread:
            share = min(max(self._draw(body, f"delay {attempt}"), 1e-9), 1 - 1e-9)
            delay *= math.exp(self.spread * NormalDist().inv_cdf(share))
        return delay * max(1.0, in_flight / self.slow) if self.slow else delay

    def _draw(self, body: bytes, purpose: str) -> float:
        digest = hashlib.blake2b(body, digest_size=8, key=f"{self.seed} {purpose}".encode())
        return int.from_bytes(digest.digest(), "big") / 2**64


def reply(body: dict[str, Any], words: int = 0) -> dict[str, Any]:
    """A whole reply, in the form that the request asks for."""
    chat = "messages" in body
    asked = body["messages"][-1]["content"] if chat else body.get("prompt", "")
    form = body.get("response_format", {}).get("json_schema", {}).get("schema")
    form = form or body.get("json_schema") or body.get("structured_outputs", {}).get("json")
    most = int(body.get("max_tokens") or body.get("max_completion_tokens") or 512)
    text = json.dumps(instance(form)) if form else " ".join(["word"] * words) if words else asked
    parts = re.findall(r"\s*\S+", text)
    cut = len(parts) > most and not form
    text = "".join(parts[:most]) if cut else text
    choice: dict[str, Any] = {"index": 0, "finish_reason": "length" if cut else "stop"}
    if chat:
        choice["message"] = {"role": "assistant", "content": text}
    else:
        choice["text"] = text
    prompt = len(json.dumps(body.get("messages") or asked)) // 4
    return {
        "id": "x",
        "object": "chat.completion" if chat else "text_completion",
        "model": body.get("model"),
        "choices": [choice],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": min(len(parts), most),
            "prompt_tokens_details": {"cached_tokens": prompt // 2},
        },
    }


def instance(schema: dict[str, Any]) -> Any:
    """Something small that fits a simple JSON Schema."""
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return instance(schema[union][0])
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        return {name: instance(form) for name, form in schema.get("properties", {}).items()}
    if kind == "array":
        return [instance(schema.get("items", {}))] * max(int(schema.get("minItems", 1)), 1)
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    return {"boolean": True, "null": None}.get(str(kind), "a few words")


def duration(text: str) -> float:
    """Seconds of `50ms`, `2s` or `0.05`."""
    found = re.fullmatch(r"([\d.]+)(ms|s|m)?", text)
    if not found:
        raise ValueError(f"{text} is no duration")
    return float(found[1]) * _SECONDS[found[2] or "s"]
