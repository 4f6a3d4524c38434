"""A model in vLLM, on this machine's GPUs, driven from within this process.

vLLM comes with the extra `mashbill[vllm]`. It runs in processes of its own (one that schedules, one
for each GPU), so a crash there is an error outcome and a restart here. Identifying a model and
counting its tokens read files only: `check` and `plan` work on a machine without a GPU.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from ..requests import Completion, EngineError, Request
from ..scoring.tasks import task_of, unsupported
from ..vllm_ import launch
from ..vllm_.files import ModelFiles, find_files
from ..vllm_.loaded import Load, Loaded, Rated, load_model
from ..vllm_.settings import PLACEMENT as PLACEMENT
from ..vllm_.settings import Settings, read_settings
from ._estimate import EstimatedTokens
from ._restarts import Restarts
from .base import Engine, ModelInfo, ModelSpec, Tokens

OPTIONS: Mapping[str, str] = {
    "api": "chat, by the model's chat template, or completion: one text to go on with",
    "thinking": "told to the chat template; what is thought is kept apart from the reply",
    "task": "generate (default), or reward, score, embed: the model puts numbers on texts",
    "revision": "branch, tag or commit of the weights on a hub",
    "lora": "folder or hub name of a LoRA adapter",
    "dtype": "number format of the weights while running",
    "quantization": "how weights are quantised while loading: fp8",
}

TASKS = ("generate", "reward", "score", "embed")

T = TypeVar("T")

_BEGUN = 1
"""Before, what a prompt began of a reply was a turn that had ended."""

_HEADROOM = 4
"""One more request in so many waits inside vLLM, so that a reply that ends leaves no gap."""
_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""LoRA ranks that vLLM makes room for."""


def describe(spec: ModelSpec) -> ModelInfo:
    """Identify the model by its files, and by the options given. Raises `EngineError`."""
    if wrong := unsupported(spec, "vllm", TASKS):
        raise wrong
    settings, files = read_settings(spec), _files(spec)
    digest = files.digest(weights=not settings.dummy)
    options = {k: v for k, v in spec.options.items() if k != "revision"}
    if spec.options.get("lora"):
        options["lora"] = _adapter(spec).digest()
    if settings.dummy:
        options["load_format"] = "dummy"
    if options:
        said = json.dumps([digest, options], sort_keys=True)
        digest = hashlib.blake2b(said.encode(), digest_size=16).hexdigest()
    limit = settings.arguments.get("max_model_len")
    own = files.context
    return ModelInfo(
        digest=digest,
        context=min(limit, own) if limit and own else limit or own,
        exact_tokens=not isinstance(tokens(spec), EstimatedTokens),
        template=files.template
        or spec.options.get("api") == "completion"
        or task_of(spec) in ("score", "embed"),
        begun=_BEGUN if task_of(spec) == "generate" else 0,
    )


def tokens(spec: ModelSpec) -> Tokens:
    """The model's own tokenizer, from its `tokenizer.json`; an estimate if it has none."""
    files = _files(spec)
    if not files.tokenizer.is_file():
        return EstimatedTokens()
    from ._tokenizer_json import load_tokens

    return load_tokens(files.tokenizer)


def open_engine(spec: ModelSpec) -> Engine:
    """An engine, not started yet."""
    return VllmEngine(spec)


class VllmEngine:
    """One model in vLLM, loaded again when it crashes."""

    def __init__(self, spec: ModelSpec) -> None:
        self._settings = read_settings(spec)
        self._load = _load(spec, self._settings)
        self._held: Restarts[Loaded] = Restarts(
            what="vLLM",
            model=spec.model,
            launch=lambda: load_model(self._load),
            drop=Loaded.close,
            alive=lambda loaded: loaded.alive,
        )

    @property
    def slots(self) -> int:
        """How many requests to keep in flight: what vLLM writes at once, and a few that wait."""
        return self._settings.seqs + max(1, self._settings.seqs // _HEADROOM)

    @property
    def loaded(self) -> Loaded | None:
        """The model, where it is loaded."""
        return self._held.current

    async def start(self) -> None:
        """Load the model. Raises `EngineError`."""
        if (missing := launch.missing()) is not None:
            raise missing
        await self._held.start()

    async def complete(self, request: Request) -> Completion:
        """One reply, from a model loaded again if the last has crashed. Raises `EngineError`."""
        return await self._ask(lambda loaded: loaded.complete(request))

    async def score(self, items: Sequence[Rated]) -> list[float]:
        """A number for each conversation, or pair of question and document: the higher the better.

        For models with `task: reward`, whose number has no bounds, and `task: score`, from 0 to 1.

        Raises:
            EngineError: As `complete` does; `task`, if the model does not rate.
        """
        return await self._ask(lambda loaded: loaded.score(items))

    async def close(self) -> None:
        """End vLLM's processes."""
        await self._held.close()

    def note(self) -> str:
        """Whether the model had to be loaded again."""
        return f"restarted {self._held.count}×" if self._held.count else ""

    async def _ask(self, call: Callable[[Loaded], Awaitable[T]]) -> T:
        loaded = await self._held.get()
        try:
            async with asyncio.timeout(self._settings.timeout):
                made = await call(loaded)
        except EngineError:
            raise
        except Exception as reason:
            raise await self._failed(loaded, reason) from reason
        self._held.answered()
        return made

    async def _failed(self, loaded: Loaded, reason: Exception) -> EngineError:
        """What became of a request: its own fault, silence, or the end of the engine."""
        kind = type(reason).__name__
        if isinstance(reason, TimeoutError) and loaded.alive:
            # It has hung: nothing that is under way there will come to an end.
            await loaded.close()
            return EngineError(
                "timeout",
                f"vLLM did not answer within {self._settings.timeout:g} s; it is started again",
                retryable=True,
            )
        if loaded.alive and kind == "EngineGenerateError":
            return EngineError("failed", f"vLLM failed: {_words(reason)}", retryable=True)
        if loaded.alive and kind != "EngineDeadError":
            return EngineError(
                "request", f"vLLM refuses the request: {_words(reason)}", retryable=False
            )
        if not loaded.obituary:
            loaded.obituary = launch.obituary()
        why, words = loaded.obituary
        return self._held.crash(words, kind=why)


def _files(spec: ModelSpec) -> ModelFiles:
    revision = spec.options.get("revision")
    weights = not read_settings(spec).dummy
    return find_files(spec.model, base=spec.base, revision=revision, weights=weights)


def _adapter(spec: ModelSpec) -> ModelFiles:
    return find_files(spec.options["lora"], base=spec.base, config="adapter_config.json")


def _load(spec: ModelSpec, settings: Settings) -> Load:
    options = spec.options
    arguments = {**settings.arguments, "model": str(_files(spec).folder)}
    for name in ("dtype", "quantization"):
        if name in options:
            arguments[name] = options[name]
    lora = ""
    if options.get("lora"):
        adapter = _adapter(spec)
        lora = str(adapter.folder)
        rank = adapter.config("adapter_config.json").get("r", _RANKS[0])
        arguments["enable_lora"] = True
        arguments["max_lora_rank"] = next((r for r in _RANKS if r >= rank), rank)
    task = task_of(spec)
    if task != "generate":
        arguments["runner"] = "pooling"
    return Load(
        arguments=arguments,
        logprobs=settings.logprobs,
        thinking=options.get("thinking"),
        plain=options.get("api") == "completion",
        lora=lora,
        rates="" if task == "generate" else task,
    )


def _words(reason: Exception) -> str:
    """The words of an error and of what caused it: vLLM wraps some in errors that say nothing."""
    said = str(reason) or str(reason.__cause__ or "") or type(reason).__name__
    return " ".join(said.split())[:300]
