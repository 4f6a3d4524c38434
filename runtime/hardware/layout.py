"""How a model lies on its hardware: GPUs a copy, copies, memory, context, texts at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...compiler.hardware.memory import Room

if TYPE_CHECKING:
    from ...compiler.hardware.shapes import Shape
    from ..engines.base import ModelSpec

_GIB = 2**30
_LOADED = {"float32": 32.0, "float": 32.0}
_QUANTISED = {"fp8": 8.0, "bitsandbytes": 4.5, "int8": 8.0}


@dataclass(frozen=True, slots=True)
class Layout:
    """What placement and options of a model come to.

    Attributes:
        parts: GPUs that share each layer of a copy (tensor parallelism).
        stages: Groups of them that hold its layers one after another.
        copies: Copies of the model.
        share: Of a GPU's memory, what the engine takes.
        offloaded: Bytes of weights that each GPU leaves in the machine's memory.
        context: Tokens of prompt and reply; None for the model's own length.
        seqs: Texts at once in a copy.
        bits: That weights are loaded at; None for as they are stored.
        threads: Of the processor; 0 for all.
    """

    parts: int = 1
    stages: int = 1
    copies: int = 1
    share: float = 0.9
    offloaded: float = 0.0
    context: int | None = None
    seqs: int = 256
    bits: float | None = None
    threads: int = 0

    @property
    def gpus(self) -> int:
        """GPUs of one copy."""
        return self.parts * self.stages

    def room(self, memory: float) -> Room:
        """The memory of one copy, where each GPU has so many bytes."""
        return Room(self.gpus, memory, self.share, self.offloaded * self.gpus)

    def length(self, shape: Shape) -> int | None:
        """Tokens of prompt and reply; None where neither model nor recipe says."""
        if self.context and shape.context:
            return min(self.context, shape.context)
        return self.context or shape.context


def layout_of(spec: ModelSpec) -> Layout:
    """Read it leniently: what cannot be read has its own error where the engine starts."""
    placed = spec.placement
    if spec.engine == "local":
        return Layout(
            share=1.0,
            context=_whole(placed, "context", 2048),
            seqs=_whole(placed, "slots", 8),
            threads=_whole(placed, "threads", 0),
        )
    quantised = _QUANTISED.get(str(spec.options.get("quantization")))
    return Layout(
        parts=_whole(placed, "tensor_parallel", 1),
        stages=_whole(placed, "pipeline_parallel", 1),
        copies=_whole(placed, "data_parallel", 1),
        share=_share(placed.get("gpu_memory_utilization")),
        offloaded=_whole(placed, "cpu_offload_gb", 0) * _GIB,
        context=_whole(placed, "max_model_len", 0) or None,
        seqs=_whole(placed, "max_num_seqs", 256),
        bits=quantised or _LOADED.get(str(spec.options.get("dtype"))),
    )


def _whole(values: Mapping[str, Any], key: str, default: int) -> int:
    value = values.get(key)
    return value if type(value) is int and value > 0 else default


def _share(value: object) -> float:
    sound = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1
    return float(value) if sound and isinstance(value, int | float) else 0.9
