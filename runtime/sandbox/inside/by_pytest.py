"""Tests that lean on pytest, run by it."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

from .coverage import Coverage

OPTIONS = ("-q", "-x", "-p", "no:cacheprovider", "--no-header", "--tb=short")
_WRONG = ("assert", "AssertionError", "Failed")


def load() -> None:
    """Import pytest and all that it imports when it runs, so that each run need not."""
    from _pytest.config import default_plugins

    for name in default_plugins:
        importlib.import_module(f"_pytest.{name}")
    importlib.import_module("pytest")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # others' plug-ins are slow, and not asked


class Watch:
    """A plug-in that tells the judge of each test."""

    def __init__(self, say: Callable[..., None]) -> None:
        self._say = say

    def pytest_collection_finish(self, session: Any) -> None:
        """How many there are."""
        self._say("collected", len(session.items))

    def pytest_collectreport(self, report: Any) -> None:
        """Tests that cannot be read."""
        if report.failed:
            self._say("fail", "error", {"error": str(report.longrepr)[-500:]})

    def pytest_runtest_logreport(self, report: Any) -> None:
        """How a test went."""
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            said = str(getattr(crash, "message", report.longrepr))
            reason = "wrong" if said.startswith(_WRONG) else "error"
            reason = "memory" if said.startswith("MemoryError") else reason
            test = report.nodeid.partition("::")[2]
            self._say("fail", reason, {"test": test, "error": said[:500]})
        elif report.when == "call" or report.skipped:
            self._say("done", report.nodeid)


def run_tests(job: dict[str, Any], say: Callable[..., None]) -> int:
    """Run the tests of a job; pytest's exit status."""
    import pytest

    folder = os.getcwd()
    for name, text in (("solution.py", job["code"]), ("test_solution.py", job["tests"])):
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)
    sys.path.insert(0, folder)
    coverage = Coverage(os.path.join(folder, "solution.py")) if job["coverage"] else None
    if coverage:
        coverage.start()
    status = pytest.main([*OPTIONS, f"--rootdir={folder}", "test_solution.py"], [Watch(say)])
    if status == 0:
        say("end", coverage.found(job["code"]) if coverage else None)
    return int(status)
