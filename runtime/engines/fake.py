"""A model that is a pure function of the request, with latency and faults on demand.

`fake/echo` replies with the last user message, `fake/words` with pseudo-text whose length varies
with the draw, `fake/rewrite` with a light paraphrase of the last user message that is sometimes
wrong, `fake/judge` with marks in the shape that the prompt asks for, `fake/prose` at lengths and
with a share of right replies that its settings say. With a `task`, any of them scores
(`_fake_scores`). Token counts follow the rule of `_estimate.pieces` and are not exact.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Mapping

from ..requests import Completion, EngineError, Finish, Request
from ..scoring.tasks import task_of, unsupported
from ..scoring.wire import scored
from . import _fake_text as fake_text
from ._estimate import EstimatedTokens, pieces
from ._fake_judge import judgement
from ._fake_prose import Prose
from ._fake_scores import TASKS as TASKS
from ._fake_scores import scores
from ._settings import seconds, share, whole, word
from .base import Engine, ModelInfo, ModelSpec, Tokens

PLACEMENT: Mapping[str, str] = {
    "slots": "requests in flight (default 64)",
    "latency": "time before each reply (50ms; a bare number is milliseconds)",
    "jitter": "further time, up to this much, decided by the request",
    "fault_rate": "share of sends that fail as a server does; sending again helps in the end",
    "journal": "file that gets a line for each request sent: key, draw, and `fault` if it failed",
}

OPTIONS: Mapping[str, str] = {
    "task": "generate (default), or reward, score, nli, embed: replies with numbers",
}

_VERSION = 1
"""Raised when the text of any reply changes."""

_REPLIES: dict[str, Callable[[bytes, Request], str]] = {
    "echo": lambda _, request: _last_user(request),
    "words": lambda key, _: fake_text.babble(key),
    "rewrite": lambda key, request: fake_text.paraphrase(key, _last_user(request)),
    "judge": lambda key, request: judgement(key, _said(request), request.sampling.schema),
}
_FAULTS = ("status-503", "timeout", "reset")


def describe(spec: ModelSpec) -> ModelInfo:
    """Identify the behaviour. Raises `EngineError` for one that is not there."""
    prose, settings = _prose(spec)
    if not prose and spec.model not in _REPLIES:
        names = ", ".join(f"fake/{name}" for name in (*_REPLIES, "prose"))
        raise EngineError(
            "missing", f"there is no model fake/{spec.model}; there are {names}", retryable=False
        )
    task = task_of(spec)
    if wrong := unsupported(spec, "fake", TASKS):
        raise wrong
    name = f"fake/{spec.model}/{_VERSION}" if task == "generate" else f"fake/task/{task}/{_VERSION}"
    if prose:
        name = f"fake/prose/{_VERSION}/{Prose.of(settings)}/{task}"
    digest = hashlib.blake2b(name.encode(), digest_size=16).hexdigest()
    return ModelInfo(digest=digest, context=None, exact_tokens=False)


def _prose(spec: ModelSpec) -> tuple[bool, str]:
    """Whether it is `fake/prose`, and the settings behind its name."""
    name, _, settings = spec.model.partition(":")
    return name == "prose", settings


def tokens(spec: ModelSpec) -> Tokens:
    """The rule that the engine itself counts by."""
    return EstimatedTokens()


def open_engine(spec: ModelSpec) -> Engine:
    """An engine, not started yet."""
    return FakeEngine(spec)


class FakeEngine:
    """Replies without a model. See the module for what it replies."""

    def __init__(self, spec: ModelSpec) -> None:
        describe(spec)
        self._task = task_of(spec)
        prose, settings = _prose(spec)
        self._reply = Prose.of(settings).reply if prose else _REPLIES[spec.model]
        self._slots = whole(spec, "slots", 64)
        self._latency = seconds(spec, "latency", 0.0, bare="ms")
        self._jitter = seconds(spec, "jitter", 0.0, bare="ms")
        self._fault_rate = share(spec, "fault_rate", 0.0)
        self._journal = word(spec, "journal")
        self._file: int | None = None
        # Only requests that have failed and not yet succeeded stand in it, so it stays small.
        self._failed: dict[bytes, int] = {}

    @property
    def slots(self) -> int:
        """How many requests to keep in flight."""
        return self._slots

    async def start(self) -> None:
        """Open the journal."""
        if self._journal is not None and self._file is None:
            try:
                self._file = os.open(self._journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            except OSError as reason:
                raise EngineError(
                    "journal", f"cannot write the journal: {reason}", retryable=False
                ) from reason

    async def complete(self, request: Request) -> Completion:
        """Reply, or fail as a server does. Raises `EngineError`."""
        key = request_key(request)
        attempt = self._failed.get(key, 0)
        fault = _draw(key, f"fault {attempt}") < self._fault_rate
        self._record(key, request.draw, fault)
        delay = self._latency + self._jitter * _draw(key, "jitter")
        if delay:
            await asyncio.sleep(delay)
        if fault:
            self._failed[key] = attempt + 1
            kind = _FAULTS[int(_draw(key, f"kind {attempt}") * len(_FAULTS))]
            raise EngineError(kind, f"a {kind} that was asked for", retryable=True)
        self._failed.pop(key, None)
        if self._task != "generate":
            prompt_tokens = EstimatedTokens().count_chat([request.messages])[0]
            return scored(request, scores(self._task, request.messages), prompt_tokens)
        return _completion(request, self._reply(key, request))

    async def close(self) -> None:
        """Close the journal."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def note(self) -> str:
        """Nothing to say."""
        return ""

    def _record(self, key: bytes, draw: int, fault: bool) -> None:
        if self._file is not None:
            # One write of a short line to a file opened to append is never torn or interleaved.
            line = f"{key.hex()} {draw}{' fault' if fault else ''}\n"
            os.write(self._file, line.encode())


def request_key(request: Request) -> bytes:
    """16 bytes that stand for all that decides a reply: everything but `max_tokens`."""
    sampling = request.sampling
    parts = (
        request.model,
        [(m.role, m.content) for m in request.messages],
        (sampling.temperature, sampling.top_p, sampling.top_k, sampling.min_p),
        (sampling.repetition_penalty, sampling.stop, *([s] if (s := sampling.schema) else [])),
        (request.draw, request.seed),
    )
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _draw(key: bytes, purpose: str) -> float:
    """A number in [0, 1), decided by the key and what it is for."""
    digest = hashlib.blake2b(purpose.encode(), digest_size=8, key=key).digest()
    return int.from_bytes(digest, "big") / 2**64


def _last_user(request: Request) -> str:
    turns = [m.content for m in request.messages if m.role == "user"]
    return turns[-1] if turns else ""


def _said(request: Request) -> str:
    return "\n".join(m.content for m in request.messages if m.role != "assistant")


def _completion(request: Request, text: str) -> Completion:
    limit = request.sampling.max_tokens
    for stop in request.sampling.stop:
        text = text.partition(stop)[0] if stop else text
    parts = pieces(text)
    finish: Finish = "stop"
    if len(parts) > limit:
        text, parts, finish = "".join(parts[:limit]), parts[:limit], "length"
    return Completion(
        text=text,
        finish=finish,
        prompt_tokens=EstimatedTokens().count_chat([request.messages])[0],
        completion_tokens=len(parts),
        max_tokens=limit,
    )
