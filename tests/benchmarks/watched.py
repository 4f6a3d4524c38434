"""A command, watched from outside: seconds, CPU seconds and peak memory of its process tree."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of a command.

    Attributes:
        began: When it was started, Unix seconds.
        seconds: Until it ended.
        cpu: CPU seconds of all its processes, those that have ended included.
        peak: MB resident in all of them together, at most; pages they share count for each.
        said: What it printed, both streams together.
    """

    began: float
    seconds: float
    cpu: float
    peak: float
    said: str


def watch(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    limit: float | None = None,
) -> Measured:
    """Run a command to its end, looked at ten times a second; for `limit` seconds at most.

    Raises:
        SystemExit: If it fails or takes too long, with what it said.
    """
    peak = [0.0, 0.0]
    done = threading.Event()
    with tempfile.TemporaryFile("w+") as out:
        began, start = time.time(), time.monotonic()
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}
        )

        def look() -> None:
            while not done.wait(LOOK_SECONDS):
                resident, used = tree(process.pid)
                peak[0], peak[1] = max(peak[0], resident), max(peak[1], used)

        watcher = threading.Thread(target=look)
        watcher.start()
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        seconds = time.monotonic() - start
        done.set()
        watcher.join()
        out.seek(0)
        said = out.read()
    if code:
        raise SystemExit(f"{' '.join(command)} failed with {code}:\n{said[-4000:]}")
    return Measured(began, seconds, peak[1], peak[0], said)


def tree(root: int) -> tuple[float, float]:
    """Resident MB and CPU seconds of a process and all below it."""
    page, tick = os.sysconf("SC_PAGE_SIZE") / 2**20, os.sysconf("SC_CLK_TCK")
    below: dict[int, list[int]] = {}
    facts: dict[int, tuple[float, float]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        below.setdefault(int(fields[1]), []).append(int(entry.name))
        facts[int(entry.name)] = int(fields[21]) * page, sum(map(int, fields[11:15])) / tick
    resident = used = 0.0
    left = [root]
    while left:
        pid = left.pop()
        left += below.get(pid, [])
        found = facts.get(pid, (0.0, 0.0))
        resident, used = resident + found[0], used + found[1]
    return resident, used
