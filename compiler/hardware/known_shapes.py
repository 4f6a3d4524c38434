"""Shapes of models that are often run, for those whose files are not on this machine."""

from __future__ import annotations

from .shapes import Shape

_QWEN, _SMOL, _GEMMA, _OSS = 151_936, 49_152, 262_144, 201_088

_SHAPES = (
    Shape("SmolLM2-135M", 30, 576, 9, 3, 64, 1536, _SMOL, tied=True, context=8192),
    Shape("SmolLM2-360M", 32, 960, 15, 5, 64, 2560, _SMOL, tied=True, context=8192),
    Shape("SmolLM2-1.7B", 24, 2048, 32, 32, 64, 8192, _SMOL, tied=True, context=8192),
    Shape("gemma-3-270m", 18, 640, 4, 1, 256, 2048, _GEMMA, tied=True, context=32_768),
    Shape("gemma-3-1b", 26, 1152, 4, 1, 256, 6912, _GEMMA, tied=True, context=32_768),
    Shape("gemma-3-4b", 34, 2560, 8, 4, 256, 10_240, _GEMMA, tied=True, context=131_072),
    Shape("gemma-3-12b", 48, 3840, 16, 8, 256, 15_360, _GEMMA, tied=True, context=131_072),
    Shape("gemma-3-27b", 62, 5376, 32, 16, 128, 21_504, _GEMMA, tied=True, context=131_072),
    Shape("Qwen3-0.6B", 28, 1024, 16, 8, 128, 3072, _QWEN, tied=True, context=40_960),
    Shape("Qwen3-1.7B", 28, 2048, 16, 8, 128, 6144, _QWEN, tied=True, context=40_960),
    Shape("Qwen3-4B", 36, 2560, 32, 8, 128, 9728, _QWEN, tied=True, context=40_960),
    Shape("Qwen3-8B", 36, 4096, 32, 8, 128, 12_288, _QWEN, context=40_960),
    Shape("Qwen3-14B", 40, 5120, 40, 8, 128, 17_408, _QWEN, context=40_960),
    Shape("Qwen3-32B", 64, 5120, 64, 8, 128, 25_600, _QWEN, context=40_960),
    Shape(
        "Qwen3-30B-A3B", 48, 2048, 32, 4, 128, 768, _QWEN,
        experts=128, used_experts=8, context=40_960,
    ),
    Shape(
        "gpt-oss-20b", 24, 2880, 64, 8, 64, 2880, _OSS,
        experts=32, used_experts=4, context=131_072, bits=5.27,
    ),
    Shape(
        "gpt-oss-120b", 36, 2880, 64, 8, 64, 2880, _OSS,
        experts=128, used_experts=4, context=131_072, bits=4.47,
    ),
    Shape("Llama-3-8B", 32, 4096, 32, 8, 128, 14_336, 128_256, context=8192),
    Shape("Llama-3.1-8B", 32, 4096, 32, 8, 128, 14_336, 128_256, context=131_072),
    Shape("Llama-3.1-70B", 80, 8192, 64, 8, 128, 28_672, 128_256, context=131_072),
    Shape("Llama-3.3-70B", 80, 8192, 64, 8, 128, 28_672, 128_256, context=131_072),
)  # fmt: skip
KNOWN_SHAPES = {shape.name: shape for shape in _SHAPES}
"""By name, from the `config.json` beside their weights on the hub. Both gpt-oss are stored in
MXFP4 with 16-bit attention and embeddings: `bits` is the mean."""
