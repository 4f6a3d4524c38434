"""Shared by the tests that drive vLLM itself: `make vllm`."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mashbill.runtime.engines import vllm
from mashbill.runtime.engines.base import ModelSpec
from mashbill.runtime.requests import Message, Request, Sampling

from .tiny_model import write_lora, write_model

PLACEMENT: Mapping[str, Any] = {
    "gpu_memory_utilization": 0.2,
    "enforce_eager": True,
    "max_model_len": 256,
    "max_num_seqs": 16,
}
"""What fits a small machine without a GPU, too."""


def request(text: str = "The mill", draw: int = 0, seed: int = 5, **sampling: Any) -> Request:
    given = {"temperature": 1.0, "max_tokens": 16, **sampling}
    return Request("m", (Message("user", text),), Sampling(**given), draw, seed)


class Served:
    """A started engine and the event loop it lives in."""

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self.loop = asyncio.new_event_loop()
        self.engine = vllm.VllmEngine(spec)

    def __enter__(self) -> Served:
        self.run(self.engine.start())
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self.engine.close())
        self.loop.close()

    @property
    def pid(self) -> int:
        """Of the process that schedules."""
        assert self.engine.loaded is not None
        processes = self.engine.loaded.llm.engine_core.resources.engine_manager.processes
        return int(processes[0].pid)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def ask(self, *requests: Request) -> list[Any]:
        """All at once; errors stand where replies would."""

        async def all_() -> list[Any]:
            asks = (self.engine.complete(r) for r in requests)
            return await asyncio.gather(*asks, return_exceptions=True)

        done: list[Any] = self.run(all_())
        return done


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`tiny`, `rater` and `adapter`."""
    if importlib.util.find_spec("vllm") is None:
        pytest.skip('vLLM is not installed: pip install "mashbill[vllm]"')
    home = tmp_path_factory.mktemp("models")
    write_model(home / "tiny")
    write_model(home / "rater", rates=True)
    write_lora(home / "adapter")
    return home


@pytest.fixture(scope="module")
def small() -> Iterator[None]:
    """A small cache, where vLLM runs on a CPU."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        yield


def tiny_spec(folder: Path, model: str = "./tiny", **options: Any) -> ModelSpec:
    return ModelSpec(
        "writer", "vllm", model, placement=PLACEMENT, options=options, base=str(folder)
    )
