"""The engine's placement: what a recipe may set, and vLLM's own name for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..engines._settings import seconds, share, whole, word
from ..engines.base import ModelSpec
from ..requests import EngineError

PLACEMENT: Mapping[str, str] = {
    "max_num_seqs": "replies that a copy of the model writes at once (default 256)",
    "max_model_len": "tokens of prompt and reply together (default: the model's own length)",
    "max_num_batched_tokens": "tokens that one step of the engine computes",
    "tensor_parallel": "GPUs that one copy of the model is spread over (default 1)",
    "pipeline_parallel": "groups of GPUs that hold its layers one after another (default 1)",
    "data_parallel": "copies of the model (default 1)",
    "gpu_memory_utilization": "share of the GPU's memory to take, from 0 to 1 (default 0.9)",
    "cpu_offload_gb": "weights kept in the machine's memory, in GiB a GPU",
    "swap_space": "memory for replies that had to wait, in GiB a GPU; not every vLLM has it",
    "enable_prefix_caching": "compute what prompts share once (default true)",
    "enforce_eager": "start without compiling: sooner there, slower after (default false)",
    "distributed_executor_backend": "how several GPUs are driven: mp, ray",
    "load_format": "how weights are read; dummy makes random ones, to measure speed",
    "logprobs": "log-probabilities to keep of each token, 0 to 20 (default 0)",
    "timeout": "longest wait for one reply (default 30m)",
}

_WHOLE = {
    "max_num_seqs": "max_num_seqs",
    "max_model_len": "max_model_len",
    "max_num_batched_tokens": "max_num_batched_tokens",
    "tensor_parallel": "tensor_parallel_size",
    "pipeline_parallel": "pipeline_parallel_size",
    "data_parallel": "data_parallel_size",
    "cpu_offload_gb": "cpu_offload_gb",
    "swap_space": "swap_space",
}
_FLAGS = ("enable_prefix_caching", "enforce_eager")
_WORDS = ("distributed_executor_backend", "load_format")
_MOST_LOGPROBS = 20
_SEQS = 256
_TIMEOUT = 1800.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Placement, read.

    Attributes:
        arguments: For vLLM's `AsyncEngineArgs`: those given, and prefix caching.
        seqs: Replies that all copies write at once.
        logprobs: Log-probabilities to keep of each token.
        timeout: Seconds to wait for one reply.
    """

    arguments: Mapping[str, Any]
    seqs: int
    logprobs: int
    timeout: float

    @property
    def dummy(self) -> bool:
        """Whether the weights are random."""
        return bool(self.arguments.get("load_format") == "dummy")


def read_settings(spec: ModelSpec) -> Settings:
    """Read a model's placement. Raises `EngineError` for a value that is none."""
    given = spec.placement
    arguments: dict[str, Any] = {"enable_prefix_caching": True, "max_num_seqs": _SEQS}
    for name, own in _WHOLE.items():
        if name in given:
            arguments[own] = whole(spec, name, 1)
    for name in _WORDS:
        if name in given:
            arguments[name] = word(spec, name)
    for name in _FLAGS:
        if name in given:
            arguments[name] = _flag(spec, name)
    if "gpu_memory_utilization" in given:
        arguments["gpu_memory_utilization"] = share(spec, "gpu_memory_utilization", 0.9)
    return Settings(
        arguments=arguments,
        seqs=arguments["max_num_seqs"] * arguments.get("data_parallel_size", 1),
        logprobs=_logprobs(spec),
        timeout=seconds(spec, "timeout", _TIMEOUT),
    )


def _flag(spec: ModelSpec, name: str) -> bool:
    value = spec.placement[name]
    if not isinstance(value, bool):
        raise _wrong(spec, name, "true or false")
    return value


def _logprobs(spec: ModelSpec) -> int:
    count = whole(spec, "logprobs", 0, least=0)
    if count > _MOST_LOGPROBS:
        raise _wrong(spec, "logprobs", f"a whole number from 0 to {_MOST_LOGPROBS}")
    return count


def _wrong(spec: ModelSpec, name: str, wanted: str) -> EngineError:
    value = spec.placement[name]
    return EngineError(
        "placement",
        f"models.{spec.name}.placement.{name} is {value!r}; give {wanted}",
        retryable=False,
    )
