"""Any server that speaks the OpenAI protocol: vLLM, SGLang, llama.cpp, or a hosted one.

One attempt a request: retries, backoff and budgets are the caller's. `EngineError.retryable` says
whether trying again can help. The engine decides which of its servers gets a request, and when.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any, cast

from ..http.address import Api, alias, call_address, place
from ..http.balancer import SLACK, Balancer, closed
from ..http.bucket import Bucket
from ..http.endpoint import Endpoint, Permit
from ..http.limit import Limit
from ..http.payload import STRUCTURES
from ..http.prefill import PREFILLS
from ..http.ratings import CALLS
from ..requests import Completion, EngineError, Request
from ..scoring.tasks import task_of, unsupported
from ._chat_client import ChatClient, Server
from ._estimate import EstimatedTokens
from ._rating_client import RatingClient
from ._settings import one_of, seconds, whole, word
from .base import Engine, ModelInfo, ModelSpec, Tokens

PLACEMENT: Mapping[str, str] = {
    "concurrency": "requests in flight at most, times the servers; fewer while they refuse (64)",
    "requests_per_minute": "requests sent in a minute, to all servers together (default: any)",
    "tokens_per_minute": "tokens of prompts and replies, likewise (default: any)",
    "connect_timeout": "time to open a connection (default 10s)",
    "timeout": "longest silence while waiting for a reply (default 10m)",
    "total_timeout": "longest time for one reply (default: any)",
    "structured_output": f"how a schema is sent: {', '.join(STRUCTURES)} (default openai)",
    "prefill": f"how it goes on from an assistant block: {', '.join(PREFILLS)} (default echo)",
    "tokenizer": "a tokenizer.json on this machine that counts this model's tokens",
}

OPTIONS: Mapping[str, str] = {
    "api": "chat (default), or completion: one text to go on with",
    "thinking": "whether a model that can think before it replies does so",
    "task": "generate (default), or reward, score, embed: the server's model puts numbers on texts",
}

TASKS = ("generate", *CALLS)

_BEGUN = 1
"""Before, servers were not told that a prompt begins the reply."""
_BEGINNING = 512
"""Characters of the last turn that say which requests begin alike: enough to tell rows apart."""


def describe(spec: ModelSpec) -> ModelInfo:
    """Identify a hosted model by its id and the name of its host. Asks nobody.

    The port is left out, and all names of this machine are one, so that a server that comes back
    at another port keeps what was paid for. Of several servers, the first one names them all.
    """
    if wrong := unsupported(spec, "http", TASKS):
        raise wrong
    parts = ["http", spec.model, alias(_addresses(spec)[0])]
    usual = (("api", "chat"), ("task", "generate"))
    known = {k: v for k, v in spec.options.items() if (k, v) not in usual}
    if known:
        parts.append(json.dumps(known, sort_keys=True))
    return ModelInfo(
        digest=hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest(),
        context=None,
        exact_tokens=not isinstance(tokens(spec), EstimatedTokens),
        begun=_BEGUN if _api(spec) == "chat" else 0,
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


class HttpEngine:
    """Sessions with one or more equal servers, in the event loop that started them."""

    def __init__(self, spec: ModelSpec) -> None:
        most = whole(spec, "concurrency", 64)
        self._tokens = tokens(spec)
        self._requests_a_minute = whole(spec, "requests_per_minute", 0, least=0)
        self._tokens_a_minute = whole(spec, "tokens_per_minute", 0, least=0)
        self._servers = [_server(spec, address) for address in _addresses(spec)]
        self._slots = most * len(self._servers)
        # Some room above the average, or a full server's requests could never stay with it.
        self._each = most if len(self._servers) == 1 else ceil(SLACK * most)
        self._calls = CALLS.get(task_of(spec), ())
        if wrong := unsupported(spec, "http", TASKS):
            raise wrong
        self._clients: dict[str, ChatClient | RatingClient] = {}
        self._balancer: Balancer | None = None

    @property
    def slots(self) -> int:
        """How many requests to keep in flight at most, over all servers."""
        return self._slots

    async def start(self) -> None:
        """Open a session for each server; connections are made when they are needed."""
        if self._balancer is not None:
            return
        now = time.monotonic()
        requests, tokens_ = self._requests_a_minute, self._tokens_a_minute
        self._clients = {s.address: self._client(s) for s in self._servers}
        self._balancer = Balancer(
            [Endpoint(address, Limit(self._each)) for address in self._clients],
            time.monotonic,
            Bucket(requests, now) if requests else None,
            Bucket(tokens_, now) if tokens_ else None,
        )

    async def complete(self, request: Request) -> Completion:
        """Send one request when a server has room for it.

        Raises:
            EngineError: It was not answered, or badly; never returns a half reply as whole.
        """
        balancer = self._balancer
        if balancer is None:
            raise closed()
        prefix = _beginning(request) if len(self._servers) > 1 else b""
        permit = await balancer.enter(prefix, self._cost(request))
        if self._balancer is not balancer:
            raise closed()
        try:
            return await self._send(request, permit)
        finally:
            balancer.pump()

    async def close(self) -> None:
        """Close all connections."""
        if self._balancer is not None:
            self._balancer.close()
            clients, self._clients, self._balancer = self._clients, {}, None
            await asyncio.gather(*(client.close() for client in clients.values()))

    def note(self) -> str:
        """Which servers are down, and whether they get fewer requests than they might."""
        return self._balancer.note() if self._balancer is not None else ""

    def _client(self, server: Server) -> ChatClient | RatingClient:
        if not self._calls:
            return ChatClient(server, self._tokens)
        calls: dict[Api, str] = {
            api: call_address(server.model, server.address, api) for api in self._calls
        }
        return RatingClient(server, calls, self._tokens)

    async def _send(self, request: Request, permit: Permit) -> Completion:
        began = time.monotonic()
        try:
            completion = await self._clients[permit.endpoint.address].complete(request)
        except EngineError as error:
            permit.failed(error, time.monotonic())
            if len(self._servers) > 1:
                error.args = (f"{error} ({place(permit.endpoint.address)})",)
            raise
        except BaseException:
            permit.dropped()
            raise
        permit.replied(completion, time.monotonic() - began)
        return replace(completion, waited=permit.waited) if permit.waited else completion

    def _cost(self, request: Request) -> float:
        """Tokens to reserve: none where nobody counts them by the minute."""
        if not self._tokens_a_minute:
            return 0.0
        prompt = self._tokens.count_chat([request.messages])[0]
        return float(prompt + request.sampling.max_tokens)


def _addresses(spec: ModelSpec) -> list[str]:
    """The addresses of the call, each one once. Raises `EngineError`."""
    api = _api(spec)
    return list(dict.fromkeys(call_address(spec.name, u, api) for u in spec.urls or ("",)))


def _api(spec: ModelSpec) -> Api:
    calls = CALLS.get(task_of(spec))
    return calls[0] if calls else cast(Api, spec.options.get("api", "chat"))


def _server(spec: ModelSpec, address: str) -> Server:
    extra: dict[str, Any] = {}
    if (thinking := spec.options.get("thinking")) is not None:
        # As vLLM, SGLang and llama.cpp hand it to the model's own template.
        extra["chat_template_kwargs"] = {"enable_thinking": thinking}
    return Server(
        address=address,
        model=spec.model,
        key=spec.key,
        connect_timeout=seconds(spec, "connect_timeout", 10.0),
        read_timeout=seconds(spec, "timeout", 600.0),
        total_timeout=seconds(spec, "total_timeout", 0.0) or None,
        extra=extra,
        api=_api(spec),
        structure=one_of(spec, "structured_output", STRUCTURES, "openai"),
        prefill=one_of(spec, "prefill", PREFILLS, "echo"),
    )


def _beginning(request: Request) -> bytes:
    """A digest of how a request begins."""
    *before, last = request.messages
    text = "\0".join([*(m.content for m in before), last.content[:_BEGINNING]])
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()
