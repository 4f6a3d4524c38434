"""The body of a request, in the words that its server knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..requests import EngineError, Request, begun_of
from .address import Api
from .prefill import PREFILLS, Prefill

Structure = Callable[[str], Mapping[str, Any]]
"""The fields that hold a reply to a JSON Schema, given as JSON text."""


def _openai(schema: str) -> Mapping[str, Any]:
    form = {"name": "reply", "schema": _verbatim(schema)}
    return {"response_format": {"type": "json_schema", "json_schema": form}}


def _vllm(schema: str) -> Mapping[str, Any]:
    return {"structured_outputs": {"json": _verbatim(schema)}}


def _guided(schema: str) -> Mapping[str, Any]:
    return {"guided_json": _verbatim(schema)}


def _llama(schema: str) -> Mapping[str, Any]:
    return {"json_schema": _verbatim(schema)}


def _nothing(_schema: str) -> Mapping[str, Any]:
    return {}


STRUCTURES: Mapping[str, Structure] = {
    "openai": _openai,
    "vllm": _vllm,
    "guided_json": _guided,
    "llama": _llama,
    "none": _nothing,
}
"""By name: `response_format`; vLLM's own field, and its name before 0.12; llama.cpp's."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a server wants to be asked.

    Attributes:
        model: Its id there.
        api: Turns of a chat, or one text.
        repetition: What it calls the repetition penalty.
        extra: Fields to send with every request.
        limit: What it calls `max_tokens`.
        structure: How a JSON Schema is sent.
        prefill: How the server is told to go on from what a prompt begins of the reply.
    """

    model: str
    api: Api = "chat"
    repetition: str = "repetition_penalty"
    extra: Mapping[str, Any] = field(default_factory=dict)
    limit: str = "max_tokens"
    structure: Structure = _openai
    prefill: Prefill = PREFILLS["echo"]

    def body(self, request: Request) -> bytes:
        """The request as JSON.

        Raises:
            EngineError: `request`, if a plain completion is asked for with more than one text.
        """
        import orjson

        sampling = request.sampling
        body: dict[str, Any] = {
            "model": self.model,
            **self._asked(request),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            self.limit: sampling.max_tokens,
            # Servers hold seeds in 32 or 64 bits, signed or not: 31 fit into all of them.
            "seed": request.seed % 2**31,
            **self.extra,
        }
        if sampling.top_k is not None:
            body["top_k"] = sampling.top_k
        if sampling.min_p is not None:
            body["min_p"] = sampling.min_p
        if sampling.repetition_penalty is not None:
            body[self.repetition] = sampling.repetition_penalty
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if sampling.schema is not None:
            body.update(self.structure(sampling.schema))
        return orjson.dumps(body)

    def _asked(self, request: Request) -> dict[str, Any]:
        messages = request.messages
        if self.api == "chat":
            turns: list[dict[str, Any]] = [{"role": m.role, "content": m.content} for m in messages]
            if not begun_of(messages):
                return {"messages": turns}
            turns[-1].update(self.prefill.turn)
            return {"messages": turns, **self.prefill.fields}
        if len(messages) != 1 or messages[0].role != "user":
            raise EngineError(
                "request",
                "a model with `api: completion` goes on with one text; "
                "leave only the user block in the prompt, or write `api: chat`",
                retryable=False,
            )
        return {"prompt": messages[0].content}


def _verbatim(schema: str) -> Any:
    """Embedded as it stands: models write properties in the schema's own order."""
    import orjson

    return orjson.Fragment(schema)
