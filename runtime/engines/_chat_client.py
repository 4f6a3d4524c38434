"""One session with one server: send a request, read the reply, adapt to what the server knows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..http.address import Api
from ..http.payload import STRUCTURES, Dialect, Structure
from ..http.prefill import PREFILLS, Prefill, refused, rest_of
from ..http.transport import Transport
from ..requests import Completion, EngineError, Request, begun_of
from ._chat_reply import read_error, read_reply
from .base import Tokens

_UNSHAPED = re.compile(
    rb"response_format|json_schema|structured|guided|grammar|schema", re.IGNORECASE
)
"""How servers say that they cannot hold a reply to a schema."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is, and how to speak with it.

    Attributes:
        address: Of the call itself.
        model: Its id there.
        key: Bearer token, if it wants one.
        connect_timeout: Seconds to open a connection.
        read_timeout: Seconds of silence while waiting for a reply.
        total_timeout: Seconds for a whole reply, if there is such a limit.
        repetition: What it calls the repetition penalty.
        extra: Fields to send with every request.
        api: Which call `address` is.
        structure: The fields that hold a reply to a JSON Schema.
        prefill: How it is told to go on from what a prompt begins of the reply.
    """

    address: str
    model: str
    key: str | None = field(default=None, repr=False)
    connect_timeout: float = 10.0
    read_timeout: float = 600.0
    total_timeout: float | None = None
    repetition: str = "repetition_penalty"
    extra: Mapping[str, Any] = field(default_factory=dict)
    api: Api = "chat"
    structure: Structure = STRUCTURES["openai"]
    prefill: Prefill = PREFILLS["echo"]


class ChatClient:
    """Sends requests. Made and closed in one running event loop."""

    def __init__(self, server: Server, tokens: Tokens) -> None:
        self._key = server.key
        self._tokens = tokens
        self._dialect = Dialect(
            model=server.model,
            api=server.api,
            repetition=server.repetition,
            extra=server.extra,
            structure=server.structure,
            prefill=server.prefill,
        )
        self._transport = Transport(
            server.address,
            {"Authorization": f"Bearer {server.key}"} if server.key else {},
            connect=server.connect_timeout,
            silence=server.read_timeout,
            total=server.total_timeout,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.close()

    async def complete(self, request: Request) -> Completion:
        """Send one request once. Raises `EngineError`, which never holds the key."""
        try:
            return await self._complete(request)
        except EngineError as error:
            raise hide_key(error, self._key) from None

    async def _complete(self, request: Request) -> Completion:
        dialect = self._dialect
        while True:
            status, headers, body = await self._transport.post(dialect.body(request))
            if status not in (400, 422):
                break
            other = _adapted(dialect, request, body)
            if other is None:
                break
            # For all that follow, unless another request has learnt it meanwhile.
            if self._dialect is dialect:
                self._dialect = other
            dialect = other
        begun = begun_of(request.messages)
        if status != 200:
            error = read_error(status, headers, body)
            raise refused(error) if begun else error
        reply = read_reply(body, dialect.api)
        if begun:
            reply = replace(reply, text=rest_of(dialect.prefill, begun, reply.text))
        prompt_tokens, completion_tokens = reply.prompt_tokens, reply.completion_tokens
        if prompt_tokens is None:
            prompt_tokens = self._tokens.count_chat([request.messages])[0]
        if completion_tokens is None:
            written = [reply.text, reply.extra.get("reasoning", "")]
            completion_tokens = sum(self._tokens.count([t for t in written if t]))
        return Completion(
            text=reply.text,
            finish=reply.finish,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            max_tokens=request.sampling.max_tokens,
            extra=reply.extra,
            cached_tokens=min(reply.cached_tokens, prompt_tokens),
        )


def hide_key(error: EngineError, key: str | None) -> EngineError:
    """The error without the key, which a server may have repeated."""
    if not key or key not in str(error):
        return error
    return EngineError(
        error.kind,
        str(error).replace(key, "***"),
        retryable=error.retryable,
        retry_after=error.retry_after,
    )


def _adapted(dialect: Dialect, request: Request, refusal: bytes) -> Dialect | None:
    """Another dialect, if the words of a refusal say that it is the dialect that was refused.

    Each step leaves one thing behind, so that there are few.
    """
    # Newer hosted models call the limit by another name and refuse this one.
    if dialect.limit == "max_tokens" and b"max_completion_tokens" in refusal:
        return replace(dialect, limit="max_completion_tokens")
    shaped = request.sampling.schema is not None and dialect.structure is not STRUCTURES["none"]
    if shaped and _UNSHAPED.search(refusal):
        # Replies are checked against their schema in any case.
        return replace(dialect, structure=STRUCTURES["none"])
    return None
