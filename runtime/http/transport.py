"""Post a body, get an answer, name what went wrong on the way."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from ..requests import EngineError

_STALE_SECONDS = 1.0
"""A kept connection that the server has closed shows it within a round trip."""
_KEEP_SECONDS = 30.0

_opened: ContextVar[list[bool]] = ContextVar("opened")
"""What the request under way learns when a connection is opened for it."""


class Transport:
    """Posts JSON to one address. Made and closed in one running event loop.

    Args:
        address: Where to.
        headers: Sent each time, beside the type of the body.
        connect: Seconds to open a connection.
        silence: Seconds without a byte while waiting for an answer.
        total: Seconds for all of it, if there is such a limit.
    """

    def __init__(
        self,
        address: str,
        headers: Mapping[str, str],
        *,
        connect: float,
        silence: float,
        total: float | None = None,
    ) -> None:
        import aiohttp
        from yarl import URL

        self._url = URL(address)
        near = urlsplit(address).hostname in ("localhost", "127.0.0.1", "::1")
        self._session = aiohttp.ClientSession(
            # The caller bounds what is in flight; a second bound would only hide in a queue.
            connector=aiohttp.TCPConnector(
                limit=0, keepalive_timeout=_KEEP_SECONDS, socket_factory=_open_socket
            ),
            timeout=aiohttp.ClientTimeout(total=total, sock_connect=connect, sock_read=silence),
            headers={"Content-Type": "application/json", **headers},
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=not near,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def post(self, payload: bytes) -> tuple[int, Mapping[str, str], bytes]:
        """Send once.

        Returns:
            Status, headers and body of the answer.

        Raises:
            EngineError: `connect`, `reset`, `half-reply`, `timeout`, `tls`, `address` or
                `bad-reply`; without its cause, which holds the headers and with them the key.
        """
        while True:
            opened: list[bool] = []
            token = _opened.set(opened)
            began = time.monotonic()
            try:
                return await self._send(payload)
            except EngineError as error:
                # A kept connection that the server closed before it saw the request is no failure
                # yet, and each of them is met once: the pool ends with a connection of our own.
                stale = error.kind == "reset" and not opened
                if not stale or time.monotonic() - began > _STALE_SECONDS:
                    raise
            finally:
                _opened.reset(token)

    async def _send(self, payload: bytes) -> tuple[int, Mapping[str, str], bytes]:
        import aiohttp

        answered = False
        try:
            async with self._session.post(
                self._url, data=payload, allow_redirects=False
            ) as response:
                answered = True
                return response.status, response.headers, await response.read()
        except (aiohttp.ClientError, OSError, ValueError) as reason:
            raise _error_of(reason, answered) from None


def _open_socket(address: Any) -> Any:
    import socket

    if (opened := _opened.get(None)) is not None:
        opened.append(True)
    family, kind, protocol, _, _ = address
    return socket.socket(family, kind, protocol)


def _error_of(reason: Exception, answered: bool) -> EngineError:
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
