"""Watches one cell: reads what it says, and ends it at the first limit that it passes."""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from . import processes

RESULT_BYTES = 8 << 20
"""What a program's tests may say to the judge."""

_POLL_SECONDS = 0.025
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(slots=True)
class Watched:
    """How a program ended.

    Attributes:
        end: `ended` by itself, or stopped by `timeout`, `memory`, `output` or the `judge`.
        status: Its exit status, negative for a signal.
        output: Standard output, standard error and results, cut at their limits.
        seconds: Wall-clock time.
        cpu: Seconds of processor time.
        peak: Bytes of memory that it had at most, as far as was seen.
    """

    end: str = "ended"
    status: int = 0
    output: list[bytearray] = field(default_factory=lambda: [bytearray() for _ in range(3)])
    seconds: float = 0.0
    cpu: float = 0.0
    peak: int = 0


def watch(pid: int, pipes: tuple[int, int, int], limits: dict[str, Any], base: int) -> Watched:
    """Watch a cell until it is gone, with all that it started.

    Args:
        pid: The cell.
        pipes: The ends of its output, its errors and its results that are read.
        limits: What it may use.
        base: Pages that any process here shares with the zygote.
    """
    found = Watched()
    began = time.monotonic()
    deadline = began + limits["seconds"]
    handle = os.pidfd_open(pid)
    poll = select.poll()
    for fd in (*pipes, handle):
        poll.register(fd, select.POLLIN)
    look = began + _POLL_SECONDS
    gone = False
    while not gone:
        now = time.monotonic()
        if now >= deadline:
            found.end = "timeout"
            break
        if now >= look:
            look = now + _POLL_SECONDS
            found.peak = max(found.peak, processes.pages_over(base, pid) * _PAGE)
            if found.peak > limits["memory"]:
                found.end = "memory"
                break
        wait = max(0.0, min(deadline, look) - now)
        for fd, _ in poll.poll(wait * 1000 + 1):
            if fd == handle:
                gone = True
            elif not _read(fd, pipes, found):
                poll.unregister(fd)
        if _too_much(found, limits):
            found.end = "output"
            break
    _finish(pid, found)
    for fd in pipes:  # what it wrote before it ended
        os.set_blocking(fd, False)
        while not _too_much(found, limits) and _read(fd, pipes, found):
            pass
    found.seconds = time.monotonic() - began
    if found.end == "ended" and _too_much(found, limits):
        found.end = "output"
    if (
        found.end == "ended"
        and found.status == -signal.SIGKILL
        and found.cpu >= limits["cpu"] - 0.5
    ):
        found.end = "timeout"
    return found


def _finish(pid: int, found: Watched) -> None:
    """Kill the cell and wait for it; the end of its namespace is the end of all that is in it."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    _, status, used = os.wait4(pid, 0)
    found.status = os.waitstatus_to_exitcode(status)
    found.cpu = used.ru_utime + used.ru_stime
    processes.end_children()


def _read(fd: int, pipes: tuple[int, int, int], found: Watched) -> bool:
    try:
        data = os.read(fd, 1 << 16)
    except BlockingIOError:
        return False
    found.output[pipes.index(fd)] += data
    return bool(data)


def _too_much(found: Watched, limits: dict[str, Any]) -> bool:
    out, err, results = map(len, found.output)
    return out + err > limits["output"] or results > RESULT_BYTES
