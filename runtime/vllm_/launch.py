"""Load a model into vLLM, in processes of its own, without stopping the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import importlib
import importlib.util
import os
import re
import signal
from collections.abc import Mapping
from multiprocessing import resource_tracker
from typing import Any

from ..requests import EngineError
from .guard import end_marked, start_guard
from .log import open_log

_SILENT = {
    # Never fork: this process holds threads (polars, aiohttp) that a copy of it would wait for.
    "VLLM_WORKER_MULTIPROCESSING_METHOD": "spawn",
    "VLLM_DO_NOT_TRACK": "1",
    "VLLM_NO_USAGE_STATS": "1",
}
_MEMORY = re.compile(
    r"out of memory|OutOfMemory|cannot allocate memory|KV cache|cache blocks|[Ff]ree memory",
)
_CACHE = re.compile(r"KV cache|cache blocks")
_LOOK_SECONDS = 0.2
_STREAM_NEVER = 1 << 30
"""Tokens between two looks at a reply that is being written: only its end matters."""


def missing() -> EngineError | None:
    """The error of a machine without vLLM, or None."""
    if importlib.util.find_spec("vllm") is not None:
        return None
    return EngineError(
        "missing",
        'the vllm engine is not installed; type: pip install "mashbill[vllm]"',
        retryable=False,
    )


async def launch(arguments: Mapping[str, Any]) -> Any:
    """An `AsyncLLM` with the model loaded. It takes from seconds to many minutes.

    Raises:
        EngineError: `memory` where it does not fit, `load` where it cannot be loaded.
    """
    log = open_log()
    log.skip()
    making = asyncio.ensure_future(asyncio.to_thread(_make, dict(arguments)))
    try:
        return await asyncio.shield(making)
    except asyncio.CancelledError:
        # A thread cannot be stopped, but what it waits for can.
        while not making.done():
            end_marked(start_guard())
            await asyncio.wait([making], timeout=_LOOK_SECONDS)
        making.exception()
        raise
    except EngineError:
        raise
    # vLLM says so in many ways: errors of its own, of torch, of pydantic, of the weights' reader.
    except Exception as reason:
        said = [*log.errors(), " ".join(str(reason).split())[:600]]
        raise load_error(str(arguments["model"]), said, log.last_words()) from reason


def load_error(model: str, said: list[str], words: str) -> EngineError:
    """What to tell of a model that could not be loaded, by what vLLM said."""
    short = next((line for line in said if _MEMORY.search(line)), None)
    if short is not None:
        return EngineError(
            "memory", f"{model} does not fit: {memory_hint(short)} ({short})", retryable=False
        )
    return EngineError("load", f"vLLM could not load {model}: {words or said[-1]}", retryable=False)


def memory_hint(said: str) -> str:
    """Which setting to change, by what vLLM said of memory."""
    if _CACHE.search(said):
        return "lower placement.max_model_len, or raise placement.gpu_memory_utilization"
    if re.search(r"[Ff]ree memory", said):
        return "lower placement.gpu_memory_utilization, or free the GPU of other programs"
    return "lower placement.max_num_seqs or placement.gpu_memory_utilization"


def obituary() -> tuple[str, str]:
    """Why a running engine ended, by its log: `memory` or `crash`, and the words for it."""
    log = open_log()
    line = next((line for line in log.errors() if _MEMORY.search(line)), None)
    if line is not None:
        return "memory", f"{memory_hint(line)} ({line})"
    return "crash", log.last_words() or "its process ended without a word"


def _make(arguments: dict[str, Any]) -> Any:
    for name, value in _SILENT.items():
        os.environ.setdefault(name, value)
    start_guard()
    # It lets signals through again when it starts, so it starts first.
    resource_tracker.ensure_running()
    with _deaf_to_interrupts():
        # By name: vLLM has to be there only where a model is loaded.
        arg_utils = importlib.import_module("vllm.engine.arg_utils")
        engine = importlib.import_module("vllm.v1.engine.async_llm")
        known = {f.name for f in dataclasses.fields(arg_utils.AsyncEngineArgs)}
        for name in arguments:
            if name not in known:
                version = importlib.import_module("vllm").__version__
                raise EngineError(
                    "placement", f"vLLM {version} has no setting {name}", retryable=False
                )
        ours: dict[str, Any] = {
            "disable_log_stats": True,
            "use_tqdm_on_load": False,
            # The one that reads grammars as llama.cpp does.
            "structured_outputs_config": {"backend": "xgrammar"},
        }
        if arguments.get("runner") != "pooling":  # vLLM asserts that a model that rates streams.
            ours["stream_interval"] = _STREAM_NEVER
        if importlib.import_module("vllm.platforms").current_platform.is_cpu():
            # Seen in 0.32: without a GPU, a prompt in pieces and a seed of its own end the engine
            # ("CPU Generator does not use offset").
            ours["enable_chunked_prefill"] = False
        made = arg_utils.AsyncEngineArgs(
            **{k: v for k, v in ours.items() if k in known}, **arguments
        )
        # It is shut down by hand; its finaliser complains where it runs as the interpreter ends.
        quiet: Any = type("AsyncLLM", (engine.AsyncLLM,), {"__del__": lambda _: None})
        return quiet.from_engine_args(made)


@contextlib.contextmanager
def _deaf_to_interrupts() -> Any:
    """Ctrl-C goes to all processes; it is this one that decides what it means for its children.

    A child begins with the signal mask of the thread that starts it.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
