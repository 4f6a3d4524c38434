"""A classifier or an embedder of `transformers`, on this machine; it scores and writes nothing.

torch and transformers come with the extra `mashbill[transformers]`. The model runs in a child
process, many questions at once, on a GPU where there is one. A question that is longer than the
model can read is an error, never cut in silence. Identifying a model reads files only.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import json
from collections.abc import Mapping, Sequence

from ..requests import Completion, EngineError, Request
from ..scoring.batches import Batches
from ..scoring.child import Child, Question, start_child
from ..scoring.layout import read_layout
from ..scoring.tasks import task_of, unsupported
from ..scoring.wire import Entailment, entailment_reply, score_reply, scored, vector_reply
from ..scoring.wire import text_of as _text_of
from ..scoring.wire import texts_of as _texts_of
from ..vllm_.files import ModelFiles, find_files
from ._estimate import EstimatedTokens
from ._restarts import Restarts
from ._settings import seconds, whole, word
from .base import Engine, ModelInfo, ModelSpec, Tokens

PLACEMENT: Mapping[str, str] = {
    "batch": "questions that the model reads at once (default 32)",
    "device": "auto (a GPU if there is one), cpu, cuda, cuda:1, mps (default auto)",
    "threads": "CPU threads (default: torch decides)",
    "timeout": "longest wait for a batch, after which the model is loaded anew (default 10m)",
}

OPTIONS: Mapping[str, str] = {
    "task": "reward, score, nli or embed: what the model does",
    "revision": "branch, tag or commit of the weights on a hub",
    "dtype": "number format of the weights while running",
}

TASKS = ("reward", "score", "nli", "embed")

_BATCH = 32
_DYING_SECONDS = 2.0
"""A broken pipe shows before the process that broke it is gone."""


def describe(spec: ModelSpec) -> ModelInfo:
    """Identify the model by its files, and by the options given. Raises `EngineError`."""
    if wrong := unsupported(spec, "transformers", TASKS):
        raise wrong
    files = _files(spec)
    layout = read_layout(files)
    options = {k: v for k, v in spec.options.items() if k != "revision"}
    said = json.dumps([files.digest(), layout.digest, options], sort_keys=True)
    return ModelInfo(
        digest=hashlib.blake2b(said.encode(), digest_size=16).hexdigest(),
        context=layout.limit,
        exact_tokens=not isinstance(tokens(spec), EstimatedTokens),
    )


def tokens(spec: ModelSpec) -> Tokens:
    """The model's own tokenizer, from its `tokenizer.json`; an estimate if it has none."""
    file = _files(spec).tokenizer
    if not file.is_file():
        return EstimatedTokens()
    from ._tokenizer_json import load_tokens

    return load_tokens(file)


def open_engine(spec: ModelSpec) -> Engine:
    """An engine, not started yet."""
    return TransformersEngine(spec)


class TransformersEngine:
    """A child process with the model, started again when it crashes or falls silent."""

    def __init__(self, spec: ModelSpec) -> None:
        if wrong := unsupported(spec, "transformers", TASKS):
            raise wrong
        files = _files(spec)
        self._task = task_of(spec)
        self._layout = read_layout(files)
        self._batch = whole(spec, "batch", _BATCH)
        self._timeout = seconds(spec, "timeout", 600.0)
        self._config = {
            "folder": str(files.folder),
            "task": self._task,
            "limit": self._layout.limit,
            "pooling": self._layout.pooling,
            "dtype": spec.options.get("dtype", "float32"),
            "device": word(spec, "device") or "auto",
            "threads": whole(spec, "threads", 0, least=0),
        }
        self._held: Restarts[Child] = Restarts(
            what="the scoring process",
            model=spec.model,
            launch=lambda: start_child(spec.model, self._config),
            drop=Child.close,
            alive=lambda child: child.alive,
        )
        self._batches: Batches[Question, dict[str, object]] = Batches(self._answer, self._batch)

    @property
    def slots(self) -> int:
        """How many requests to keep in flight: a batch, and the next one."""
        return 2 * self._batch

    @property
    def child(self) -> Child | None:
        """The process that scores, if there is one."""
        return self._held.current

    async def start(self) -> None:
        """Load the model. Raises `EngineError`."""
        for package in ("torch", "transformers"):
            if importlib.util.find_spec(package) is None:
                raise EngineError(
                    "missing",
                    f"the transformers engine needs {package}; type: "
                    'pip install "mashbill[transformers]"',
                    retryable=False,
                )
        await self._held.start()

    async def complete(self, request: Request) -> Completion:
        """Answer one request, together with others that wait. Raises `EngineError`."""
        if self._task == "embed":
            _text_of(request.messages)
        elif self._task != "reward":
            _texts_of(request.messages)
        answer = await self._batches.ask([(m.role, m.content) for m in request.messages])
        if (length := answer.get("overlong")) is not None:
            raise EngineError(
                "overlong",
                f"{length} tokens do not fit into the model's {self._layout.limit}",
                retryable=False,
            )
        spent = answer["tokens"]
        return scored(request, self._reply(answer["value"]), spent if isinstance(spent, int) else 0)

    async def close(self) -> None:
        """End the child process and wait until it is gone."""
        await self._batches.close()
        await self._held.close()

    def note(self) -> str:
        """Whether the model had to be loaded again."""
        return f"restarted {self._held.count}×" if self._held.count else ""

    def _reply(self, value: object) -> str:
        match value:
            case dict():
                return entailment_reply(Entailment(*(value.get(name, 0.0) for name in _PARTS)))
            case list():
                return vector_reply(value)
            case int() | float():
                return score_reply(value)
        raise EngineError("bad-reply", f"the model said {value!r}", retryable=False)

    async def _answer(self, questions: Sequence[Question]) -> Sequence[dict[str, object]]:
        child = await self._held.get()
        try:
            async with asyncio.timeout(self._timeout):
                answers = await child.answers(questions)
        except (ConnectionError, ValueError):
            child.kill()
            await child.ended(_DYING_SECONDS)
            raise self._held.crash(child.last_words()) from None
        except TimeoutError:
            # It has hung: nothing that is under way there will come to an end.
            child.kill()
            await child.ended(_DYING_SECONDS)
            raise EngineError(
                "timeout",
                f"no answer within {self._timeout:g} s; the model is loaded again",
                retryable=True,
            ) from None
        self._held.answered()
        return answers


_PARTS = ("entailment", "neutral", "contradiction")


def _files(spec: ModelSpec) -> ModelFiles:
    return find_files(spec.model, base=spec.base, revision=spec.options.get("revision"))
