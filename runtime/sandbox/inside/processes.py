"""The processes of a program, as `/proc` shows them to its supervisor."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress


def pages_of(pid: int | str) -> int:
    """Pages of memory that a process holds now; 0 if it is gone."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1])
    except (OSError, IndexError, ValueError):
        return 0


def pages_over(base: int, first: int) -> int:
    """Pages that a process and its descendants hold beyond what each had from the zygote."""
    return sum(max(0, pages_of(pid) - base) for pid in family(first))


def family(first: int) -> Iterator[int]:
    """A process and its descendants."""
    waiting = [first]
    while waiting:
        pid = waiting.pop()
        yield pid
        waiting += children_of(pid)


def children_of(pid: int) -> list[int]:
    """The children of a process, of all its threads."""
    found: list[int] = []
    with suppress(OSError, ValueError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                found += map(int, file.read().split())
    return found


def end_children() -> None:
    """Kill what is left of this process's descendants, and wait for them."""
    while True:
        for pid in list(family(os.getpid()))[1:]:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, 0 if children_of(os.getpid()) else os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return


def tasks_of(user: int) -> int:
    """How many threads a user has, in all its processes."""
    found = 0
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            if os.stat(f"/proc/{name}").st_uid == user:
                found += len(os.listdir(f"/proc/{name}/task"))
    return found
