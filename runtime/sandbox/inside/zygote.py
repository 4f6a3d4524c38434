"""A warm interpreter that forks one supervisor after the other, each for one program."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
from typing import Any

from . import by_pytest, kernel, processes, seccomp
from .frames import send
from .supervisor import GONE, supervise

COMMON = (
    *("abc", "array", "base64", "bisect", "calendar", "cmath", "collections.abc", "contextlib"),
    *("copy", "dataclasses", "datetime", "decimal", "enum", "fractions", "functools", "hashlib"),
    *("heapq", "inspect", "io", "itertools", "json", "keyword", "math", "numbers", "operator"),
    *("queue", "random", "re", "statistics", "string", "struct", "textwrap", "threading", "time"),
    *("traceback", "types", "typing", "unicodedata"),
)
"""Modules that programs import most, loaded once."""


def serve(settings: dict[str, Any]) -> None:
    """Serve jobs from standard input, one at a time, until it ends.

    Args:
        settings: Whether programs get `namespaces` of their own, or else a folder in `scratch`;
            `packages`, a folder to import pytest
            from, if it is wanted; the user to `become`, if any; `home`, the
            folder that these modules are in.
    """
    jobs, results = os.dup(0), os.dup(1)
    nothing = os.open("/dev/null", os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    if settings["namespaces"] and settings["become"]:
        kernel.mount_proc()
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # short of memory, a machine ends these first
    if settings["become"]:
        kernel.become(*settings["become"])
    for name in COMMON:
        importlib.import_module(name)
    if settings["packages"]:
        sys.path.append(settings["packages"])
        by_pytest.load()
    for name in ("PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE"):
        os.environ.pop(name, None)
    sys.path[:] = [p for p in sys.path if p != settings["home"]]
    for name in [name for name in sys.modules if name.split(".")[0] in ("inside", "__main__")]:
        del sys.modules[name]
    settings["filter"] = seccomp.program()
    settings["others"] = 1 if settings["namespaces"] else processes.tasks_of(os.getuid())
    settings["base"] = processes.pages_of(os.getpid())
    gc.collect()
    gc.freeze()
    send(results, {"ready": True, "filter": bool(settings["filter"])})
    while True:
        pid = os.fork()
        if pid == 0:
            os._exit(_one(jobs, results, settings))
        _, status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if code == GONE:
            return
        if code:
            send(results, {"lost": f"the supervisor ended with status {code}"})


def _one(jobs: int, results: int, settings: dict[str, Any]) -> int:
    try:
        return supervise(jobs, results, settings)
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        return 70
