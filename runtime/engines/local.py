"""A GGUF model on this machine, run by llama.cpp in a child process. No GPU, key or server needed.

llama.cpp comes with the package `xllamacpp`, in the extra `mashbill[local]`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..llama.card import Card, read_card, weights_digest
from ..llama.child import Child, Settings, start_child
from ..llama.gguf import GgufError
from ..llama.grammar import compile_grammar
from ..models import find_model
from ..requests import Completion, EngineError, Request
from ._chat_client import Server
from ._estimate import EstimatedTokens
from ._llama_client import LlamaClient
from ._restarts import Restarts
from ._settings import seconds, whole
from .base import Engine, ModelInfo, ModelSpec, Tokens

PLACEMENT: Mapping[str, str] = {
    "slots": "requests in flight (default 8)",
    "context": "tokens of prompt and reply that a slot can hold (default 2048)",
    "threads": "CPU threads (default: llama.cpp decides)",
    "timeout": "longest wait for one reply, after which the model is loaded anew (default 30m)",
    "logprobs": "log-probabilities to keep of each token, 0 to 20 (default 0)",
}

OPTIONS: Mapping[str, str] = {}

_CACHED: Mapping[str, Any] = {"cache_prompt": True}
_SLOTS = 8
_CONTEXT = 2048
_MOST_LOGPROBS = 20
_DYING_SECONDS = 2.0
"""A broken connection shows before the process that broke it is gone."""
_BROKEN = frozenset({"reset", "connect", "half-reply", "bad-reply"})
"""What a client sees of a process that dies."""
_BEGUN = 1
"""Before, what a prompt began of a reply never reached the model."""


def describe(spec: ModelSpec) -> ModelInfo:
    """Identify the model by its file. Raises `EngineError` if it is not on this machine."""
    path = find_model(spec.model, base=spec.base)
    card = _card(path)
    return ModelInfo(
        digest=weights_digest(path),
        context=_context(spec, card),
        exact_tokens=card.tokens is not None,
        template=card.template,
        begun=_BEGUN,
    )


def tokens(spec: ModelSpec) -> Tokens:
    """The model's own tokenizer, or an estimate if its kind is not known."""
    return _card(find_model(spec.model, base=spec.base)).tokens or EstimatedTokens()


def open_engine(spec: ModelSpec) -> Engine:
    """An engine, not started yet."""
    return LocalEngine(spec)


@dataclass(frozen=True, slots=True)
class _Running:
    """A child process, and a client that speaks with it."""

    child: Child
    client: LlamaClient

    async def close(self) -> None:
        await self.client.close()
        await self.child.close()


class LocalEngine:
    """A child process with the model, started again when it crashes or falls silent."""

    def __init__(self, spec: ModelSpec) -> None:
        path = find_model(spec.model, base=spec.base)
        self._settings = Settings(
            model=str(path.resolve()),
            slots=whole(spec, "slots", _SLOTS),
            context=_context(spec, _card(path)),
            threads=whole(spec, "threads", 0, least=0),
        )
        kept = _logprobs(spec)
        self._server = partial(
            Server,
            model=spec.model,
            read_timeout=seconds(spec, "timeout", 1800.0),
            repetition="repeat_penalty",
            extra={**_CACHED, **({"logprobs": True, "top_logprobs": kept} if kept else {})},
            structure=_held_to,
        )
        self._text_extra = {**_CACHED, **({"logprobs": kept} if kept else {})}
        self._tokens = tokens(spec)
        self._held: Restarts[_Running] = Restarts(
            what="llama.cpp",
            model=spec.model,
            launch=self._launch,
            drop=_Running.close,
            alive=lambda running: running.child.alive,
        )

    @property
    def slots(self) -> int:
        """How many requests to keep in flight."""
        return self._settings.slots

    @property
    def child(self) -> Child | None:
        """The process that serves, if there is one."""
        return self._held.current.child if self._held.current else None

    async def start(self) -> None:
        """Load the model. Raises `EngineError`."""
        if importlib.util.find_spec("xllamacpp") is None:
            raise EngineError(
                "missing",
                'the local engine is not installed; type: pip install "mashbill[local]"',
                retryable=False,
            )
        await self._held.start()

    async def complete(self, request: Request) -> Completion:
        """Send one request, to a new process if the last one has crashed. Raises `EngineError`."""
        running = await self._held.get()
        try:
            completion = await running.client.complete(request)
        except EngineError as error:
            if not self._held.open:
                raise
            if error.kind == "timeout":
                # It has hung: nothing that is under way there will come to an end.
                running.child.kill()
                await running.child.ended(_DYING_SECONDS)
                raise EngineError(
                    "timeout", f"llama.cpp fell silent and was ended: {error}", retryable=True
                ) from None
            if error.kind in _BROKEN and await running.child.ended(_DYING_SECONDS):
                raise self._held.crash(running.child.last_words()) from None
            raise
        self._held.answered()
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
        await self._held.close()

    def note(self) -> str:
        """Whether the model had to be loaded again."""
        return f"restarted {self._held.count}×" if self._held.count else ""

    async def _launch(self) -> _Running:
        child = await start_child(self._settings)
        address = f"http://127.0.0.1:{child.port}/v1/chat/completions"
        server = self._server(address=address, key=child.key)
        return _Running(child, LlamaClient(server, self._tokens, self._text_extra))


def _held_to(schema: str) -> Mapping[str, Any]:
    # llama.cpp has a compiler of its own, which lets white space go on for ever.
    return {"grammar": compile_grammar(schema)}


def _logprobs(spec: ModelSpec) -> int:
    count = whole(spec, "logprobs", 0, least=0)
    if count > _MOST_LOGPROBS:
        raise EngineError(
            "placement",
            f"models.{spec.name}.placement.logprobs is {count}; give 0 to {_MOST_LOGPROBS}",
            retryable=False,
        )
    return count


def _card(path: Path) -> Card:
    try:
        return read_card(path)
    except (GgufError, OSError) as reason:
        raise EngineError("load", str(reason), retryable=False) from reason


def _context(spec: ModelSpec, card: Card) -> int:
    wanted = whole(spec, "context", _CONTEXT)
    return min(wanted, card.context) if card.context else wanted
