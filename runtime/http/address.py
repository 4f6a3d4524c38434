"""The address of a call, from the address of a server as people write it."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from ..requests import EngineError

Api = Literal["chat", "completion", "score", "embeddings", "classify", "pooling"]
PATHS: dict[Api, str] = {
    "chat": "/chat/completions",
    "completion": "/completions",
    "score": "/score",
    "embeddings": "/embeddings",
    "classify": "/classify",
    "pooling": "/pooling",
}
_VERSIONLESS: tuple[Api, ...] = ("classify", "pooling")
"""Calls of vLLM's own, which have no `/v1` before them."""


def call_address(name: str, url: str, api: Api = "chat") -> str:
    """The address of the call itself: `url`, with `/v1` where it names no version.

    Args:
        name: The recipe's name of the model, for the error.
        url: Of the server, or of one of its calls.
        api: Which call.

    Raises:
        EngineError: `address`, if `url` is none.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port  # Raises for a port that is not one.
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise EngineError(
            "address",
            f"models.{name}.url is {url!r}; give an address such as http://localhost:8000/v1",
            retryable=False,
        )
    path = parts.path.rstrip("/")
    for known in PATHS.values():  # The longer one first: it ends with the other.
        if path.endswith(known):
            path = path.removesuffix(known)
            break
    else:
        versioned = any(s[:1] == "v" and s[1:2].isdigit() for s in path.split("/"))
        path += "" if versioned else "/v1"
    if api in _VERSIONLESS:
        path = path.removesuffix("/v1")
    return urlunsplit((parts.scheme, parts.netloc, path + PATHS[api], parts.query, ""))


def place(url: str) -> str:
    """Host and port, for messages."""
    return urlsplit(url).netloc.rpartition("@")[2]


def alias(url: str) -> str:
    """The name of a server that stays the same when it comes back at another port."""
    host = (urlsplit(url).hostname or "").lower()
    return "localhost" if host in ("127.0.0.1", "::1", "0.0.0.0") else host
