"""What one program may use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one program and all that it starts.

    Attributes:
        seconds: Wall-clock time.
        cpu: Seconds of processor time of each of its processes; None for as long as `seconds`.
        memory: Bytes, of one process and of all together.
        processes: Processes and threads at a time.
        disk: Bytes of files in its folder, which lie in memory.
        files: How many files it may make.
        output: Bytes of standard output and error.
        open_files: Descriptors of a process.
    """

    seconds: float = 10.0
    cpu: float | None = None
    memory: int = 512_000_000
    processes: int = 32
    disk: int = 64_000_000
    files: int = 1000
    output: int = 1_000_000
    open_files: int = 256
