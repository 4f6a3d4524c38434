"""GPUs: memory, bandwidth and dense matrix throughput, as their makers state them."""

from __future__ import annotations

import re
from dataclasses import dataclass

GIB = 2**30


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU.

    Attributes:
        name: As a recipe names it: `H100`.
        memory: Bytes that the driver reports, a little less than what is sold.
        bandwidth: Of its memory, bytes a second.
        bf16: Dense operations a second in 16 bits, accumulated in 32.
        fp8: The same in 8 bits; None where it has no such units.
        source: Where the figures stand.
    """

    name: str
    memory: float
    bandwidth: float
    bf16: float
    fp8: float | None
    source: str


def _gpu(
    name: str, gib: float, gb_a_second: float, bf16: float, fp8: float | None, source: str
) -> Gpu:
    return Gpu(name, gib * GIB, gb_a_second * 1e9, bf16 * 1e12, fp8 * 1e12 if fp8 else None, source)


GPUS: tuple[Gpu, ...] = (
    _gpu("T4", 15.0, 320, 65, None, "NVIDIA T4 datasheet (fp16: it has no bf16)"),
    _gpu("A10G", 22.5, 600, 70, None, "NVIDIA A10G datasheet"),
    _gpu("L4", 22.5, 300, 121, 242, "NVIDIA L4 datasheet, halved: it states sparse figures"),
    _gpu("L40S", 45.0, 864, 362, 733, "NVIDIA L40S datasheet"),
    _gpu("RTX 3090", 24.0, 936, 71, None, "NVIDIA GA102 whitepaper, appendix A"),
    _gpu("RTX 4090", 24.0, 1008, 165, 330, "NVIDIA Ada whitepaper, appendix A"),
    _gpu("RTX 5090", 31.8, 1792, 209, 419, "NVIDIA Blackwell RTX whitepaper, appendix A"),
    _gpu("A100-40GB", 40.0, 1555, 312, None, "NVIDIA A100 datasheet, 40 GB"),
    _gpu("A100-80GB", 80.0, 2039, 312, None, "NVIDIA A100 datasheet, 80 GB SXM"),
    _gpu("H100-PCIe", 79.6, 2000, 756, 1513, "NVIDIA H100 datasheet, PCIe, halved"),
    _gpu("H100", 79.6, 3350, 989, 1979, "NVIDIA H100 datasheet, SXM, halved"),
    _gpu("H200", 140.4, 4800, 989, 1979, "NVIDIA H200 datasheet, halved"),
    _gpu("B200-SXM", 179.1, 8000, 2250, 4500, "NVIDIA HGX B200 datasheet, halved"),
    _gpu("MI300X", 192.0, 5300, 1307, 2615, "AMD Instinct MI300X datasheet"),
)

_MAKERS = re.compile(r"\b(nvidia|amd|geforce|tesla|instinct|quadro|gpu)\b")
_NAMES: tuple[tuple[str, str], ...] = (
    (r"a100.*40(gb)?|a100$", "A100-40GB"),
    (r"a100", "A100-80GB"),
    (r"h100.*pcie", "H100-PCIe"),
    (r"h100", "H100"),
    (r"h200", "H200"),
    (r"b200", "B200-SXM"),
    (r"(rtx ?)?3090", "RTX 3090"),
    (r"(rtx ?)?4090", "RTX 4090"),
    (r"(rtx ?)?5090", "RTX 5090"),
    (r"l40s", "L40S"),
    (r"l4", "L4"),
    (r"a10g", "A10G"),
    (r"t4", "T4"),
    (r"mi300x", "MI300X"),
)
_BY_NAME = {gpu.name: gpu for gpu in GPUS}


def find_gpu(name: str) -> Gpu | None:
    """The GPU that a recipe or a driver names; None if it is not in the table.

    `H100`, `NVIDIA H100 80GB HBM3`, `Tesla T4`, `NVIDIA GeForce RTX 4090` are known. An A100 of
    unsaid size is the small one. Variants of a chip with other memory (`4090 Laptop`, `H100 NVL`)
    are not known.
    """
    plain = " ".join(_MAKERS.sub(" ", name.lower()).split())
    if re.search(r"laptop|mobile|max-q|mig|nvl|\b(d|ti|super)$", plain):
        return None
    for pattern, known in _NAMES:
        if re.match(rf"(?:{pattern})(?![0-9a-z])", plain):
            return _BY_NAME[known]
    return None
