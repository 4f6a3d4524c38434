"""GPUs as data, and what they are called by recipes and drivers."""

from __future__ import annotations

import pytest

from mashbill.compiler.hardware.gpus import GIB, GPUS, Gpu, find_gpu


@pytest.mark.parametrize("gpu", GPUS, ids=lambda g: g.name)
def test_figures_are_plausible(gpu: Gpu) -> None:
    assert 14 * GIB < gpu.memory < 300 * GIB
    assert 300e9 <= gpu.bandwidth <= 8e12
    assert 60e12 <= gpu.bf16 <= 2.5e15
    assert gpu.fp8 is None or gpu.fp8 == pytest.approx(2 * gpu.bf16, rel=0.03)
    # Of every generation: a dense 16-bit operation for each 50 to 500 millionths of a byte read.
    assert 50 < gpu.bf16 / gpu.bandwidth < 500
    assert gpu.source
    assert find_gpu(gpu.name) is gpu, "its own name names it"


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("h100", "H100"),
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("NVIDIA H100 PCIe", "H100-PCIe"),
        ("NVIDIA H200", "H200"),
        ("NVIDIA B200", "B200-SXM"),
        ("A100", "A100-40GB"),
        ("NVIDIA A100-SXM4-40GB", "A100-40GB"),
        ("NVIDIA A100-PCIE-40GB", "A100-40GB"),
        ("NVIDIA A100-SXM4-80GB", "A100-80GB"),
        ("NVIDIA A100 80GB PCIe", "A100-80GB"),
        ("Tesla T4", "T4"),
        ("NVIDIA L4", "L4"),
        ("NVIDIA L40S", "L40S"),
        ("NVIDIA A10G", "A10G"),
        ("NVIDIA GeForce RTX 3090", "RTX 3090"),
        ("RTX4090", "RTX 4090"),
        ("NVIDIA GeForce RTX 5090", "RTX 5090"),
        ("AMD Instinct MI300X", "MI300X"),
    ],
)
def test_names(said: str, name: str) -> None:
    found = find_gpu(said)
    assert found is not None and found.name == name


@pytest.mark.parametrize(
    "said",
    [
        "auto", "", "gpu", "L40", "T400", "H10", "H1000", "NVIDIA GeForce RTX 4090 Laptop GPU",
        "NVIDIA GeForce RTX 4090 D", "NVIDIA GeForce RTX 3090 Ti", "NVIDIA H100 NVL",
        "NVIDIA H100 80GB HBM3 MIG 1g.10gb", "A1000",
    ],
)  # fmt: skip
def test_what_is_not_known_is_not_guessed(said: str) -> None:
    assert find_gpu(said) is None
