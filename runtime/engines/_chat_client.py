"""One session with one chat server: send a request, read the reply, name what went wrong."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from ..requests import Completion, EngineError, Request
from ._chat_reply import read_error, read_reply
from .base import Tokens

_STALE_SECONDS = 1.0
"""A kept connection that the server has closed shows it within a round trip."""
_KEEP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Server:
    """Where a chat server is, and how to speak with it.

    Attributes:
        address: Of the chat call itself.
        model: Its id there.
        key: Bearer token, if it wants one.
        connect_timeout: Seconds to open a connection.
        read_timeout: Seconds of silence while waiting for a reply.
        repetition: What it calls the repetition penalty.
        extra: Fields to send with every request.
    """

    address: str
    model: str
    key: str | None = field(default=None, repr=False)
    connect_timeout: float = 10.0
    read_timeout: float = 600.0
    repetition: str = "repetition_penalty"
    extra: Mapping[str, Any] = field(default_factory=dict)


class ChatClient:
    """Sends requests. Made and closed in one running event loop."""

    def __init__(self, server: Server, tokens: Tokens) -> None:
        import aiohttp

        self._server = server
        self._tokens = tokens
        self._limit = "max_tokens"
        headers = {"Content-Type": "application/json"}
        if server.key:
            headers["Authorization"] = f"Bearer {server.key}"
        trace = aiohttp.TraceConfig()
        trace.on_connection_reuseconn.append(_mark_reused)
        near = urlsplit(server.address).hostname in ("localhost", "127.0.0.1", "::1")
        self._session = aiohttp.ClientSession(
            # The caller bounds what is in flight; a second bound would only hide in a queue.
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_SECONDS),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=server.connect_timeout, sock_read=server.read_timeout
            ),
            headers=headers,
            trace_configs=[trace],
            trust_env=not near,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def complete(self, request: Request) -> Completion:
        """Send one request once. Raises `EngineError`, which never holds the key."""
        try:
            return await self._complete(request)
        except EngineError as error:
            key = self._server.key
            if not key or key not in str(error):
                raise
            raise EngineError(
                error.kind,
                str(error).replace(key, "***"),
                retryable=error.retryable,
                retry_after=error.retry_after,
            ) from None

    async def _complete(self, request: Request) -> Completion:
        limit = self._limit
        status, headers, body = await self._post(self._payload(request, limit))
        # Newer hosted models call the limit by another name and refuse this one.
        if status == 400 and limit == "max_tokens" and b"max_completion_tokens" in body:
            self._limit = "max_completion_tokens"
            status, headers, body = await self._post(self._payload(request, self._limit))
        if status != 200:
            raise read_error(status, headers, body)
        reply = read_reply(body)
        prompt_tokens, completion_tokens = reply.prompt_tokens, reply.completion_tokens
        if prompt_tokens is None:
            prompt_tokens = self._tokens.count_chat([request.messages])[0]
        if completion_tokens is None:
            completion_tokens = self._tokens.count([reply.text])[0]
        return Completion(
            text=reply.text,
            finish=reply.finish,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            max_tokens=request.sampling.max_tokens,
            extra=reply.extra,
        )

    def _payload(self, request: Request, limit: str) -> bytes:
        import orjson

        sampling = request.sampling
        body: dict[str, Any] = {
            "model": self._server.model,
            "messages": [{"role": m.role, "content": m.content} for m in request.messages],
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            limit: sampling.max_tokens,
            # Servers hold seeds in 32 or 64 bits, signed or not: 31 fit into all of them.
            "seed": request.seed % 2**31,
            **self._server.extra,
        }
        if sampling.top_k is not None:
            body["top_k"] = sampling.top_k
        if sampling.min_p is not None:
            body["min_p"] = sampling.min_p
        if sampling.repetition_penalty is not None:
            body[self._server.repetition] = sampling.repetition_penalty
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if sampling.schema is not None:
            # Embedded as it stands: models write properties in the schema's own order.
            form = {"name": "reply", "schema": orjson.Fragment(sampling.schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        return orjson.dumps(body)

    async def _post(self, payload: bytes) -> tuple[int, Mapping[str, str], bytes]:
        mark = SimpleNamespace(reused=False)
        began = time.monotonic()
        try:
            return await self._send(payload, mark)
        except EngineError as error:
            stale = error.kind == "reset" and mark.reused
            if not stale or time.monotonic() - began > _STALE_SECONDS:
                raise
        # The server closed the kept connection before it saw the request: no failure yet.
        return await self._send(payload, SimpleNamespace(reused=False))

    async def _send(
        self, payload: bytes, mark: SimpleNamespace
    ) -> tuple[int, Mapping[str, str], bytes]:
        import aiohttp

        answered = False
        try:
            async with self._session.post(
                self._server.address, data=payload, allow_redirects=False, trace_request_ctx=mark
            ) as response:
                answered = True
                return response.status, response.headers, await response.read()
        except (aiohttp.ClientError, OSError, ValueError) as reason:
            # Without its cause, which holds the request's headers and with them the key.
            raise _transport_error(reason, answered) from None


async def _mark_reused(_session: object, context: SimpleNamespace, _params: object) -> None:
    context.trace_request_ctx.reused = True


def _transport_error(reason: Exception, answered: bool) -> EngineError:
    import aiohttp

    if isinstance(reason, aiohttp.ConnectionTimeoutError):
        return EngineError("connect", "the server takes no connection", retryable=True)
    if isinstance(reason, TimeoutError):
        return EngineError("timeout", "the server fell silent", retryable=True)
    if isinstance(
        reason, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError
    ):
        return EngineError("tls", f"no safe connection: {reason}", retryable=False)
    if isinstance(reason, aiohttp.ClientConnectorError):
        return EngineError("connect", f"no connection: {reason}", retryable=True)
    if isinstance(reason, aiohttp.InvalidURL):
        return EngineError("address", f"{reason} is not an address", retryable=False)
    name = type(reason).__name__
    if answered:
        return EngineError("half-reply", f"the reply broke off ({name})", retryable=True)
    if isinstance(reason, aiohttp.ServerDisconnectedError | OSError):
        return EngineError("reset", "the server closed the connection", retryable=True)
    return EngineError("bad-reply", f"the server's answer cannot be read ({name})", retryable=True)
