"""One session with llama.cpp's own server, which also goes on from a reply that a prompt begins.

Where its chat call gives replies back as plain text, it drops an assistant's last turn, and
elsewhere repeats it in the reply. So the server renders the turns before it as its chat call would,
and what comes of them, with the beginning behind it, is sent as one text to go on with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin

from ..http.transport import Transport
from ..llama.template import go_on
from ..requests import Completion, EngineError, Message, Request, begun_of
from ._chat_client import ChatClient, Server
from ._chat_reply import read_answer, read_error
from .base import Tokens


class LlamaClient:
    """Sends requests. Made and closed in one running event loop.

    Args:
        server: Its chat call, and how to speak with it.
        tokens: Counts what the server does not.
        extra: Fields to send instead of the server's where a text is sent to go on with.
    """

    def __init__(self, server: Server, tokens: Tokens, extra: Mapping[str, Any]) -> None:
        texts = urljoin(server.address, "/v1/completions")
        self._chats = ChatClient(server, tokens)
        self._texts = ChatClient(
            replace(server, address=texts, api="completion", extra=extra), tokens
        )
        self._templates = Transport(
            urljoin(server.address, "/apply-template"),
            {"Authorization": f"Bearer {server.key}"},
            connect=server.connect_timeout,
            silence=server.read_timeout,
        )

    async def close(self) -> None:
        """Close all connections."""
        each = (self._chats, self._texts, self._templates)
        await asyncio.gather(*(client.close() for client in each))

    async def complete(self, request: Request) -> Completion:
        """Send one request once. Raises `EngineError`."""
        begun = begun_of(request.messages)
        if not begun:
            return await self._chats.complete(request)
        text = go_on(await self._opened(request.messages[:-1]), begun)
        return await self._texts.complete(replace(request, messages=(Message("user", text),)))

    async def _opened(self, messages: tuple[Message, ...]) -> str:
        """The prompt that opens the assistant's turn after these."""
        import orjson

        turns = [{"role": m.role, "content": m.content} for m in messages]
        status, headers, body = await self._templates.post(orjson.dumps({"messages": turns}))
        if status != 200:
            raise read_error(status, headers, body)
        prompt = read_answer(body).get("prompt")
        if not isinstance(prompt, str):
            raise EngineError("bad-reply", "llama.cpp rendered no prompt", retryable=True)
        return prompt
