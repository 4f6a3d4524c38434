"""Throughput that others measured and published."""

from __future__ import annotations

from .gpus import Gpu, find_gpu
from .naming import find_named

MEASURED_ON = "H100"
TABLE = {
    "SmolLM2-135M": 28_391,
    "SmolLM2-360M": 17_887,
    "gemma-3-270m": 22_996,
    "Qwen3-0.6B": 13_527,
    "gemma-3-1b": 14_838,
    "SmolLM2-1.7B": 5_255,
    "Qwen3-1.7B": 11_710,
    "Qwen3-4B": 7_919,
    "gemma-3-4b": 8_501,
    "Qwen3-8B": 6_338,
    "gemma-3-12b": 2_999,
    "Qwen3-14B": 4_414,
    "gpt-oss-20b": 12_432,
    "gemma-3-27b": 1_724,
    "Qwen3-30B-A3B": 2_977,
    "Qwen3-32B": 1_987,
    "gpt-oss-120b": 3_138,
}
"""Reply tokens a second of one H100 with 80 GB, prompts included in the time: vLLM 0.15, rephrasing
of web pages as tutorials, context 8,192, replies of at most 4,096 tokens, untuned settings (that of
gemma-3-27b: tuned). datatrove and FinePhrase, 2026; tuning gained 2 to 95 %, 7 % in the median."""
SPREAD = 0.4
"""Standard deviation of the logarithm on the same GPU `[ours]`: other texts, versions, settings."""
SCALED_SPREAD = 0.5
"""The same where it was scaled to another GPU."""


def published(model: str, gpu: Gpu) -> tuple[str, float, float] | None:
    """A published rate for a model, scaled by memory bandwidth to another GPU than was measured.

    Args:
        model: Its name on a hub.
        gpu: What it is to run on.

    Returns:
        The name in the table, reply tokens a second of one GPU, and the spread of that; None where
        nothing was published.
    """
    name = find_named(model, TABLE)
    base = find_gpu(MEASURED_ON)
    if name is None or base is None:
        return None
    if gpu.name == base.name:
        return name, TABLE[name], SPREAD
    return name, TABLE[name] * gpu.bandwidth / base.bandwidth, SCALED_SPREAD
