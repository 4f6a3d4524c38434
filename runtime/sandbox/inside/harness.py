"""Runs a program and its tests, in the cell, and says what happened over the result pipe."""

from __future__ import annotations

import atexit
import json
import linecache
import marshal
import operator
import os
import random
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Any

from . import by_pytest
from .coverage import Coverage
from .frames import write_all
from .values import encode, shown

SOLUTION = "solution.py"
_EQUAL = "=="
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    _EQUAL: operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "is": operator.is_,
    "is not": operator.is_not,
    "in": lambda left, right: left in right,
    "not in": lambda left, right: left not in right,
}


class WrongError(AssertionError):
    """An assert of the tests that does not hold, with what shows it."""

    def __init__(self, number: int, evidence: dict[str, Any]) -> None:
        super().__init__(evidence.get("message", ""))
        self.number, self.evidence = number, evidence


class Report:
    """The way to the judge. Each line carries a word that the program is not told."""

    def __init__(self, fd: int, word: str) -> None:
        self._fd, self._word = fd, word
        self._dumps = json.dumps

    def __call__(self, tag: str, *parts: Any) -> None:
        """Say one thing."""
        write_all(self._fd, self._dumps([self._word, tag, *parts]).encode() + b"\n")


def run(payload: bytes, fd: int) -> int:
    """Run what the judge sent; the status to end with."""
    job = marshal.loads(payload)
    report = Report(fd, job["word"])
    random.seed(0)  # a verdict is the same each time
    runs: dict[str, Callable[[dict[str, Any], Report], int]] = {
        "tests": _tests,
        "pytest": _pytest,
        "script": _script,
        "command": _command,
        "compile": _compile,
    }
    return runs[job["kind"]](job, report)


def _tests(job: dict[str, Any], report: Report) -> int:
    coverage = Coverage(SOLUTION) if job["coverage"] else None
    names = _load(job, report, coverage)
    if names is None:
        return 1
    helper = _helper(report)
    for number, data in enumerate(job["units"]):
        unit: CodeType = marshal.loads(data)
        names[job["name"]] = helper
        if not _guarded(lambda unit=unit: exec(unit, names), report, "tests"):  # type: ignore[misc]
            return 1
        report("done", number)
    report("end", coverage.found(job["code"]) if coverage else None)
    return 0


def _load(job: dict[str, Any], report: Report, coverage: Coverage | None) -> dict[str, Any] | None:
    """The program's names after it ran, or None if it did not get that far."""
    code = _compiled(job["code"], SOLUTION, report)
    setup = _compiled(job["setup"], "setup.py", report)
    if code is None or setup is None:
        return None
    module = ModuleType("solution")
    sys.modules["solution"] = module
    names = module.__dict__
    if coverage:
        coverage.start()
    loaded = _guarded(lambda: exec(code, names), report, "code") and _guarded(
        lambda: exec(setup, names), report, "setup"
    )
    return names if loaded else None


def _compiled(source: str, name: str, report: Report) -> CodeType | None:
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    try:
        return compile(source, name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
        line = getattr(error, "lineno", None)
        report("fail", "syntax", {"error": _said(error), "line": line})
        return None


def _helper(report: Report) -> Callable[..., None]:
    """What each `assert` of the tests calls."""
    seen: set[int] = set()

    def held(
        number: int,
        *parts: Any,
    ) -> None:
        if len(parts) == 1:
            report("value", number, encode(parts[0]))
            return
        kind, left = str(parts[0]), parts[1]
        right, message = (*parts[2:], None, None)[:2]
        if kind == "true":
            good, evidence = bool(left), {"got": shown(left)}
        else:
            good = bool(_COMPARE[kind](left, right))
            evidence = {"got": shown(left), "expected": f"{kind} {shown(right)}"}
            if good and kind == _EQUAL and (_is_odd(left) != _is_odd(right)):
                good = False
                evidence["error"] = "an object of the program says that it equals another type"
        if not good:
            if message is not None:
                evidence["message"] = str(message())[:300]
            raise WrongError(number, evidence)
        if number not in seen:
            seen.add(number)
            report("seen", number)

    return held


def _is_odd(value: Any, depth: int = 0) -> bool:
    """Whether a value, or one inside it, compares by an `__eq__` that the program wrote."""
    if type(value) in (list, tuple, set, frozenset) and depth < 3:
        return any(_is_odd(item, depth + 1) for item in value)
    code = getattr(getattr(type(value), "__eq__", None), "__code__", None)
    return getattr(code, "co_filename", "") == SOLUTION


def _guarded(work: Callable[[], Any], report: Report, stage: str) -> bool:
    """Run something of the program's; report what it raises."""
    try:
        work()
    except WrongError as error:
        report("fail", "wrong", {"number": error.number, **error.evidence})
    except MemoryError:
        report("fail", "memory", {"error": "MemoryError"})
    except BaseException as error:
        # An assertion of unittest's is a wrong answer; one in the program is an error like others.
        file, line = _place(error)
        reason = "wrong" if isinstance(error, AssertionError) and file != SOLUTION else "error"
        report("fail", reason, {"error": _said(error), "in": file, "line": line, "stage": stage})
    else:
        return True
    return False


def _said(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"[:500]
    except Exception:
        return type(error).__name__


def _place(error: BaseException) -> tuple[str, int | None]:
    """File and line of the innermost frame that is the program's or the tests'."""
    best: tuple[str, int | None] = ("", None)
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name == SOLUTION or name == "setup.py" or name.startswith("test"):
            best = (name, trace.tb_lineno)
        trace = trace.tb_next
    return best


def _compile(job: dict[str, Any], report: Report) -> int:
    if _compiled(job["code"], SOLUTION, report) is None:
        return 1
    report("end", None)
    return 0


def _script(job: dict[str, Any], report: Report) -> int:
    code = _compiled(job["code"], "main.py", report)
    if code is None:
        return 1
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    status = 0
    try:
        exec(code, module.__dict__)
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except MemoryError:
        report("fail", "memory", {"error": "MemoryError"})
        return 1
    except BaseException as error:
        inside = error.__traceback__.tb_next if error.__traceback__ else None
        traceback.print_exception(type(error), error, inside)
        report("fail", "error", {"error": _said(error), "line": _last_line(inside)})
        return 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    report("exit", status)
    return status


def _last_line(trace: Any) -> int | None:
    line = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "main.py":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _command(job: dict[str, Any], report: Report) -> int:
    """Write the files, then run each command; the first that fails is the last."""
    for name, text in job["files"].items():
        place = os.path.join(os.getcwd(), name)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "w", encoding="utf-8") as file:
            file.write(text)
    for stage, command in job["commands"]:
        try:
            status = subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode
        except OSError as error:
            report("absent", stage, f"{command[0]}: {error.strerror}")
            return 1
        report("ran", stage, status)
        if status:
            return 1
    report("end", None)
    return 0


def _pytest(job: dict[str, Any], report: Report) -> int:
    return by_pytest.run_tests(job, report) if _compiled(job["code"], SOLUTION, report) else 1
