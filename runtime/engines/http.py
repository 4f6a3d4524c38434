"""Any server that speaks the OpenAI chat protocol: vLLM, SGLang, llama.cpp, or a hosted one.

One attempt a request: retries, backoff and budgets are the caller's. `EngineError.retryable` says
whether trying again can help.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from ..requests import Completion, EngineError, Request
from ._chat_client import ChatClient, Server
from ._estimate import EstimatedTokens
from ._settings import seconds, whole, word
from .base import Engine, ModelInfo, ModelSpec, Tokens

PLACEMENT: Mapping[str, str] = {
    "concurrency": "requests in flight (default 64)",
    "connect_timeout": "time to open a connection (default 10s)",
    "timeout": "longest silence while waiting for a reply (default 10m)",
    "tokenizer": "a tokenizer.json on this machine that counts this model's tokens",
}

OPTIONS: Mapping[str, str] = {}


def describe(spec: ModelSpec) -> ModelInfo:
    """Identify a hosted model by its id and the name of its host. Asks nobody.

    The port is left out, and all names of this machine are one, so that a server that comes back
    at another port keeps what was paid for.
    """
    host = (urlsplit(chat_address(spec)).hostname or "").lower()
    alias = "localhost" if host in ("127.0.0.1", "::1", "0.0.0.0") else host
    name = f"http\0{spec.model}\0{alias}"
    return ModelInfo(
        digest=hashlib.blake2b(name.encode(), digest_size=16).hexdigest(),
        context=None,
        exact_tokens=not isinstance(tokens(spec), EstimatedTokens),
    )


def tokens(spec: ModelSpec) -> Tokens:
    """The tokenizer that `placement.tokenizer` names, else an estimate by characters.

    Raises:
        EngineError: `missing`, if that file is not a tokenizer.
    """
    name = word(spec, "tokenizer")
    if name is None:
        return EstimatedTokens()
    from ._tokenizer_json import load_tokens

    return load_tokens((Path(spec.base) / Path(name).expanduser()).resolve())


def open_engine(spec: ModelSpec) -> Engine:
    """An engine, not started yet."""
    return HttpEngine(spec)


def chat_address(spec: ModelSpec) -> str:
    """The address of the chat call: `url`, with `/v1` where it names no version.

    Raises:
        EngineError: `address`, if `url` is missing or is not one.
    """
    url = spec.urls[0] if spec.urls else ""
    try:
        parts = urlsplit(url)
        _ = parts.port  # Raises for a port that is not one.
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise EngineError(
            "address",
            f"models.{spec.name}.url is {url!r}; give an address such as http://localhost:8000/v1",
            retryable=False,
        )
    path = parts.path.rstrip("/")
    if not path.endswith("/chat/completions"):
        versioned = any(s[:1] == "v" and s[1:2].isdigit() for s in path.split("/"))
        path = f"{path}{'' if versioned else '/v1'}/chat/completions"
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


class HttpEngine:
    """One session with one server, in the event loop that started it."""

    def __init__(self, spec: ModelSpec) -> None:
        self._slots = whole(spec, "concurrency", 64)
        self._tokens = tokens(spec)
        self._server = Server(
            address=chat_address(spec),
            model=spec.model,
            key=spec.key,
            connect_timeout=seconds(spec, "connect_timeout", 10.0),
            read_timeout=seconds(spec, "timeout", 600.0),
        )
        self._client: ChatClient | None = None

    @property
    def slots(self) -> int:
        """How many requests to keep in flight."""
        return self._slots

    async def start(self) -> None:
        """Open a session; connections are made when they are needed."""
        if self._client is None:
            self._client = ChatClient(self._server, self._tokens)

    async def complete(self, request: Request) -> Completion:
        """Send one request. Raises `EngineError`; never returns a half reply as whole."""
        if self._client is None:
            raise EngineError("closed", "the engine is not started", retryable=False)
        return await self._client.complete(request)

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    def note(self) -> str:
        """Nothing to say."""
        return ""
