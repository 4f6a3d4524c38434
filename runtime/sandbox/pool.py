"""Sandboxes that are kept warm for the programs to come."""

from __future__ import annotations

import atexit
import importlib.util
import re
import threading
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

from .box import Box, BoxLostError, Level
from .isolation import require
from .limits import Limits
from .program import Outcome, Program


class SandboxError(Exception):
    """A program could not be run: this machine's doing, not the program's."""


class Sandboxes:
    """A pool of sandboxes; threads may share it. One is made when none is free.

    A sandbox that breaks is thrown away with all that is in it, and its program is tried again in
    a fresh one; a program that breaks two fails.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free: dict[tuple[Level, bool], list[Box]] = {}

    def run(self, program: Program, limits: Limits, *, strict: bool = True) -> Outcome:
        """Run a program.

        Args:
            program: What to run.
            limits: What it may use.
            strict: Whether process limits alone will not do.

        Raises:
            NoSandboxError: If this machine has no sandbox that is good enough.
            SandboxError: If a sandbox does not start, or pytest is wanted and absent.
        """
        level = require(strict)
        pytest = program.framework == "pytest"
        if program.kind == "tests" and program.framework == "auto":
            pytest = leans_on_pytest(program.tests)
            program = replace(program, framework="pytest" if pytest else "assert")
        said = ""
        for _ in range(2):
            box = self._take(level, pytest)
            try:
                outcome = box.run(program, limits)
            except BoxLostError as error:
                said = str(error)
                continue
            with self._lock:
                self._free.setdefault((level, box.has_packages), []).append(box)
            return outcome
        return Outcome(False, "error", {"error": f"it broke its sandbox, twice: {said}"[:300]})

    def close(self) -> None:
        """End all sandboxes that are free."""
        with self._lock:
            boxes = [box for free in self._free.values() for box in free]
            self._free.clear()
        for box in boxes:
            box.close()

    def _take(self, level: Level, pytest: bool) -> Box:
        """A warm sandbox. Raises `SandboxError`."""
        packages = pytest_folder() if pytest else None
        if pytest and packages is None:
            raise SandboxError("these tests need pytest: pip install pytest")
        with self._lock:
            free = self._free.get((level, pytest), [])
            while free:
                box = free.pop()
                if box.alive:
                    return box
                box.close()
        box = Box(level, packages)
        try:
            box.start()
        except BoxLostError as error:
            box.close()
            raise SandboxError(f"the sandbox does not start: {error}") from error
        return box


@cache
def pytest_folder() -> Path | None:
    """The folder of packages that pytest is installed in."""
    found = importlib.util.find_spec("pytest")
    return Path(found.origin).parent.parent if found and found.origin else None


@cache
def sandboxes() -> Sandboxes:
    """This process's pool."""
    pool = Sandboxes()
    atexit.register(pool.close)
    return pool


def leans_on_pytest(tests: Iterable[str]) -> bool:
    """Whether tests import pytest, or have test functions that want fixtures."""
    return any(_PYTEST.search(test) for test in tests)


_PYTEST = re.compile(
    r"^[ \t]*(?:import|from)[ \t]+pytest\b|^(?:async[ \t]+)?def[ \t]+test\w*\(\s*\w", re.MULTILINE
)
