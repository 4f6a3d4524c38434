"""Shuts this process in, for one program: namespaces, a fresh folder, limits, no privileges.

Its files are a tmpfs of its own over `/tmp`; as the first process of its namespace it takes
everything that it started with it when it ends.
"""

from __future__ import annotations

import os
import resource
import sys
from typing import Any

from . import kernel, seccomp

USER = 1000
"""Who a program is, in a user namespace where nobody else is."""

RESULT, JOB = 3, 4
"""Descriptors of a cell beside the three that every program has."""

_EMPTY = "size=4k,nr_inodes=1,mode=555"


def leave(namespaces: bool) -> None:
    """What the supervisor does before it starts the cell. Raises `OSError`."""
    if namespaces:
        uid, gid = os.getuid(), os.getgid()
        kernel.unshare(kernel.NEW_USER | kernel.NEW_PIDS)
        kernel.map_ids(USER, uid, gid)
    else:
        kernel.adopt_orphans()
    kernel.hide()


def enter(
    limits: dict[str, Any], pipes: tuple[int, int, int, int], settings: dict[str, Any]
) -> None:
    """Shut this process in; `pipes` are its ends of output, errors, results and job.

    Raises:
        OSError: If the kernel refuses; the program must not run then.
    """
    kernel.die_with_parent()
    _keep_only(pipes)
    os.setsid()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    if settings["namespaces"]:
        _own_files(limits)
    else:
        os.chdir(settings["scratch"])
    _limit(limits, limits["command"], settings["others"])
    kernel.renounce()
    seccomp.install(settings["filter"])


def _keep_only(pipes: tuple[int, int, int, int]) -> None:
    high = [os.dup2(fd, 100 + i) for i, fd in enumerate(pipes)]
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    for fd, place in zip(high, (1, 2, RESULT, JOB), strict=True):
        os.dup2(fd, place)
    os.closerange(JOB + 1, 1 << 16)
    os.set_inheritable(RESULT, False)
    os.set_inheritable(JOB, False)


def _own_files(limits: dict[str, Any]) -> None:
    kernel.unshare(kernel.NEW_MOUNTS | kernel.NEW_IPC)
    kernel.make_private()
    flags = kernel.NO_SUID | kernel.NO_DEVICES
    size, files = limits["disk"], limits["files"]
    nothing = flags | kernel.READ_ONLY
    kernel.mount_tmpfs("/inside", nothing, _EMPTY)
    if limits["command"]:  # the loader finds a compiler's libraries by it
        kernel.mount_proc()
    else:
        kernel.mount_tmpfs("/proc", nothing, _EMPTY)
    kernel.mount_tmpfs("/tmp", flags, f"size={size},nr_inodes={files + 1},mode=700")
    os.chdir("/tmp")


def _limit(limits: dict[str, Any], command: bool, others: int) -> None:
    cpu = max(1, -(-limits["cpu"] // 1))
    memory = limits["memory"]
    wanted = {
        resource.RLIMIT_CPU: int(cpu),
        resource.RLIMIT_DATA: memory,
        resource.RLIMIT_FSIZE: limits["disk"],
        resource.RLIMIT_NPROC: limits["processes"] + others,
        resource.RLIMIT_NOFILE: limits["open_files"],
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    if not command:  # a Java machine or Node reserves far more addresses than it uses
        wanted[resource.RLIMIT_AS] = memory + (64 << 20)
    for kind, value in wanted.items():
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))
