"""One session with one server whose model scores or embeds: send a question, read the numbers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from ..http.address import Api
from ..http.ratings import body_of, read_rating
from ..http.transport import Transport
from ..requests import Completion, EngineError, Request
from ..scoring.wire import scored
from ._chat_client import Server, hide_key
from ._chat_reply import read_answer, read_error
from .base import Tokens

_NO_SUCH_CALL = frozenset({404, 405, 501})


class RatingClient:
    """Sends questions. Made and closed in one running event loop.

    Args:
        server: Where it is, and how to speak with it.
        calls: Calls that serve the task, by address: the first that the server knows is kept to.
        tokens: Counts what the server does not.
    """

    def __init__(self, server: Server, calls: Mapping[Api, str], tokens: Tokens) -> None:
        self._server = server
        self._tokens = tokens
        headers = {"Authorization": f"Bearer {server.key}"} if server.key else {}
        self._transports = {
            api: Transport(
                address,
                headers,
                connect=server.connect_timeout,
                silence=server.read_timeout,
                total=server.total_timeout,
            )
            for api, address in calls.items()
        }
        self._apis: tuple[Api, ...] = tuple(calls)

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(t.close() for t in self._transports.values()))

    async def complete(self, request: Request) -> Completion:
        """Send one question once. Raises `EngineError`, which never holds the key."""
        try:
            return await self._complete(request)
        except EngineError as error:
            raise hide_key(error, self._server.key) from None

    async def _complete(self, request: Request) -> Completion:
        refused: EngineError | None = None
        for api in self._apis:
            body = body_of(api, self._server.model, request, self._server.extra)
            status, headers, answer = await self._transports[api].post(body)
            if status == 200:
                self._apis = (api,)
                rating = read_rating(api, read_answer(answer))
                spent = rating.prompt_tokens
                if spent is None:
                    spent = self._tokens.count_chat([request.messages])[0]
                return scored(request, rating.reply, spent)
            refused = refused or read_error(status, headers, answer)
            if status not in _NO_SUCH_CALL:
                raise read_error(status, headers, answer)
        assert refused is not None
        raise refused
