"""What this machine has: GPUs by their driver, memory, cores. Nothing here ever fails."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from ...compiler.hardware.gpus import Gpu, find_gpu

if TYPE_CHECKING:
    from ...compiler.plan import Plan

_SECONDS = 5.0
_MIB = 2**20
CPU_BANDWIDTH = 40e9
"""Bytes a second from memory: about two channels of DDR4-3200, of 51 GB/s stated `[ours]`. Desktops
of 2024 have twice that, servers many times, and share it."""
CORE_OPS = 60e9
"""Operations a second of a core in quantised matrix products: AVX2 at about 3 GHz `[ours]`."""


@dataclass(frozen=True, slots=True)
class Found:
    """A GPU that the driver shows: its name, and bytes of memory."""

    name: str
    memory: float


@cache
def found_gpus() -> tuple[Found, ...]:
    """GPUs by `nvidia-smi`; none where it is not here or does not answer."""
    if shutil.which("nvidia-smi") is None:
        return ()
    command = ("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits")
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    found = []
    for line in done.stdout.splitlines() if done.returncode == 0 else ():
        name, _, memory = line.rpartition(",")
        if name and memory.strip().isdigit():
            found.append(Found(name.strip(), int(memory) * _MIB))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Hardware:
    """What a plan's own engines run on.

    Attributes:
        name: Of the GPU, as the recipe or its driver says; empty where there is none.
        memory: Bytes of each; None where nobody knows.
        gpu: Its figures; None where they are not known.
        count: How many GPUs the plan's hours are charged for.
    """

    name: str
    memory: float | None
    gpu: Gpu | None
    count: int


def hardware_of(plan: Plan) -> Hardware:
    """What the recipe says, or else what `nvidia-smi` finds."""
    said: Mapping[str, Any] = plan.hardware or {}
    count = int(said.get("count") or 1)
    name = str(said.get("gpu") or "auto")
    if name != "auto":
        gpu = find_gpu(name)
        return Hardware(gpu.name if gpu else name, gpu.memory if gpu else None, gpu, count)
    found = found_gpus()
    if not found:
        return Hardware("", None, None, count)
    first = min(found, key=lambda f: f.memory)
    gpu = find_gpu(first.name)
    if gpu is not None:
        gpu = replace(gpu, memory=first.memory)
    return Hardware(gpu.name if gpu else first.name, first.memory, gpu, count)


def processor(threads: int = 0) -> Gpu:
    """This machine's processor, in the terms of a GPU; its figures are assumed.

    Args:
        threads: How many it is to run; 0 for all cores that this process may use.
    """
    cores = threads or usable_cores()
    return Gpu("CPU", main_memory() or 0.0, CPU_BANDWIDTH, cores * CORE_OPS, None, "assumed")


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def main_memory() -> float | None:
    """Bytes of the machine's memory; None where the system does not say."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (ValueError, OSError):
        return None
