"""End vLLM's processes when the one that started them is gone, however that one ended.

vLLM's scheduler does not notice that its parent was killed, and would hold the GPU for ever. So a
small process waits at the other end of a pipe: once the pipe breaks, it ends every process that
carries the mark of this one in its environment. It covers the minutes of loading, too.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

MARK = "MASHBILL_VLLM"
"""The variable that children inherit."""
_GUARDS: list[subprocess.Popen[bytes]] = []
"""Kept, for the pipe closes with the object."""


@cache
def start_guard() -> str:
    """Start it, once for this process; returns the mark.

    Without `/proc` to look into (vLLM on a Mac), there is no guard, and the mark is of no use.
    """
    mark = secrets.token_hex(16)
    if Path("/proc/self/environ").exists():
        guard = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__, mark],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Ctrl-C goes to the whole session.
            start_new_session=True,
        )
        _GUARDS.append(guard)
        # Where nobody has closed an engine, Python would wait for its processes for ever at exit.
        atexit.register(end_marked, mark)
    os.environ[MARK] = mark
    # vLLM gives its processes names, by a package that writes them over their environment.
    os.environ["SPT_NOENV"] = "1"
    return mark


def marked(mark: str) -> list[int]:
    """Processes with the mark in the environment they began with, this one left out."""
    found = []
    wanted = f"{MARK}={mark}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return [pid for pid in found if pid != os.getpid()]


def end_marked(mark: str) -> bool:
    """Kill the processes with the mark; whether there were any."""
    left = marked(mark)
    for pid in left:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    return bool(left)


def main(mark: str) -> None:
    """Wait until the parent is gone, then end what it has left behind."""
    while sys.stdin.buffer.read(65536):
        pass
    # A process that was just being started has children a moment later.
    while end_marked(mark):
        time.sleep(0.2)


if __name__ == "__main__":
    main(sys.argv[1])
