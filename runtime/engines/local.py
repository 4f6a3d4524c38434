"""A GGUF model on this machine, run by llama.cpp in a child process. No GPU, key or server needed.

llama.cpp comes with the package `xllamacpp`, in the extra `mashbill[local]`.
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from ..llama.card import Card, read_card, weights_digest
from ..llama.child import Child, Settings, start_child
from ..llama.gguf import GgufError
from ..models import find_model
from ..requests import Completion, EngineError, Request
from ._chat_client import ChatClient, Server
from ._estimate import EstimatedTokens
from ._settings import seconds, whole
from .base import Engine, ModelInfo, ModelSpec, Tokens

PLACEMENT: Mapping[str, str] = {
    "slots": "requests in flight (default 8)",
    "context": "tokens of prompt and reply that a slot can hold (default 2048)",
    "threads": "CPU threads (default: llama.cpp decides)",
    "timeout": "longest wait for one reply (default 30m)",
}

OPTIONS: Mapping[str, str] = {}

_SLOTS = 8
_CONTEXT = 2048
_RESTARTS = 3
"""Restarts in a row, without one reply between them, before the engine gives up."""
_BACKOFF = 0.5
"""Seconds before the first restart; each further one waits twice as long."""
_DYING_SECONDS = 2.0
"""A broken connection shows before the process that broke it is gone."""


def describe(spec: ModelSpec) -> ModelInfo:
    """Identify the model by its file. Raises `EngineError` if it is not on this machine."""
    path = find_model(spec.model, base=spec.base)
    card = _card(path)
    return ModelInfo(
        digest=weights_digest(path),
        context=_context(spec, card),
        exact_tokens=card.tokens is not None,
        template=card.template,
    )


def tokens(spec: ModelSpec) -> Tokens:
    """The model's own tokenizer, or an estimate if its kind is not known."""
    return _card(find_model(spec.model, base=spec.base)).tokens or EstimatedTokens()


def open_engine(spec: ModelSpec) -> Engine:
    """An engine, not started yet."""
    return LocalEngine(spec)


class LocalEngine:
    """A child process with the model, started again when it crashes."""

    def __init__(self, spec: ModelSpec) -> None:
        path = find_model(spec.model, base=spec.base)
        self._name = spec.model
        self._settings = Settings(
            model=str(path.resolve()),
            slots=whole(spec, "slots", _SLOTS),
            context=_context(spec, _card(path)),
            threads=whole(spec, "threads", 0, least=0),
        )
        self._server = partial(
            Server,
            model=spec.model,
            read_timeout=seconds(spec, "timeout", 1800.0),
            repetition="repeat_penalty",
            extra={"cache_prompt": True},
        )
        self._tokens = tokens(spec)
        self._lock = asyncio.Lock()
        self._child: Child | None = None
        self._client: ChatClient | None = None
        self._open = False
        self._served = False
        self._crashes = self._restarts = 0
        self._last_words = ""

    @property
    def slots(self) -> int:
        """How many requests to keep in flight."""
        return self._settings.slots

    @property
    def child(self) -> Child | None:
        """The process that serves, if there is one."""
        return self._child

    async def start(self) -> None:
        """Load the model. Raises `EngineError`."""
        if importlib.util.find_spec("xllamacpp") is None:
            raise EngineError(
                "missing",
                'the local engine is not installed; type: pip install "mashbill[local]"',
                retryable=False,
            )
        self._open = True
        await self._running()

    async def complete(self, request: Request) -> Completion:
        """Send one request, to a new process if the last one has crashed. Raises `EngineError`."""
        client, child = await self._running()
        try:
            completion = await client.complete(request)
        except EngineError as error:
            broken = error.kind in ("reset", "connect", "half-reply", "bad-reply")
            if broken and self._open and await child.ended(_DYING_SECONDS):
                self._last_words = child.last_words()
                raise self._crash("", retryable=True) from None
            raise
        self._crashes = 0
        short = completion.completion_tokens < request.sampling.max_tokens
        if completion.finish == "length" and short:
            # Cut by the slot, not by the recipe: it would depend on placement.
            raise EngineError(
                "overlong",
                f"prompt and reply do not fit into {self._settings.context} tokens; "
                "raise placement.context or lower max_tokens",
                retryable=False,
            )
        return completion

    async def close(self) -> None:
        """End the child process and wait until it is gone."""
        self._open = False
        async with self._lock:
            await self._drop()

    def note(self) -> str:
        """Whether the model had to be loaded again."""
        return f"restarted {self._restarts}×" if self._restarts else ""

    async def _running(self) -> tuple[ChatClient, Child]:
        if self._client is not None and self._child is not None and self._child.alive:
            return self._client, self._child
        async with self._lock:
            if not self._open:
                raise EngineError("closed", "the engine is not started", retryable=False)
            if self._client is not None and self._child is not None and self._child.alive:
                return self._client, self._child
            if not self._served:
                pair = await self._launch()
                self._served = True
                return pair
            return await self._relaunch()

    async def _relaunch(self) -> tuple[ChatClient, Child]:
        await self._drop()
        if self._crashes >= _RESTARTS:
            raise self._crash(f" {self._crashes + 1} times in a row", retryable=False)
        await asyncio.sleep(_BACKOFF * 2**self._crashes)
        self._crashes += 1
        self._restarts += 1
        try:
            return await self._launch()
        except EngineError as failed:
            # It loaded before, so it may load again.
            self._last_words = str(failed)
            raise self._crash("", retryable=True) from failed

    async def _launch(self) -> tuple[ChatClient, Child]:
        child = await start_child(self._settings)
        address = f"http://127.0.0.1:{child.port}/v1/chat/completions"
        client = ChatClient(self._server(address=address, key=child.key), self._tokens)
        self._child, self._client = child, client
        return client, child

    async def _drop(self) -> None:
        child, client = self._child, self._client
        self._child = self._client = None
        if client is not None:
            await client.close()
        if child is not None:
            await child.close()

    def _crash(self, how_often: str, *, retryable: bool) -> EngineError:
        return EngineError(
            "crash",
            f"llama.cpp crashed{how_often} with {self._name}: {self._last_words}",
            retryable=retryable,
        )


def _card(path: Path) -> Card:
    try:
        return read_card(path)
    except (GgufError, OSError) as reason:
        raise EngineError("load", str(reason), retryable=False) from reason


def _context(spec: ModelSpec, card: Card) -> int:
    wanted = whole(spec, "context", _CONTEXT)
    return min(wanted, card.context) if card.context else wanted
