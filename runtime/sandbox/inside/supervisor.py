"""One program from its job to its verdict. Runs beside the cell, out of the program's reach.

The expected values of the tests stay here: the cell is sent what to compute, not what is right.
"""

from __future__ import annotations

import ast
import json
import marshal
import os
import secrets
import shutil
import signal
import sys
import tempfile
from contextlib import suppress
from typing import Any

from . import cell, harness
from .asserts import Suite, assertions, taken_apart
from .frames import receive, send, write_all
from .values import Foreign, decode, shown
from .watch import Watched, watch

GONE = 77
"""Status of a supervisor whose master is gone."""


def supervise(jobs: int, results: int, settings: dict[str, Any]) -> int:
    """Wait for a job, run it, send its result; the status to end with."""
    try:
        limits = receive(jobs)
    except (EOFError, OSError):
        return GONE
    cell.leave(settings["namespaces"])
    if not settings["namespaces"]:
        settings = {**settings, "scratch": tempfile.mkdtemp(dir=settings["scratch"])}
    pid, pipes, job_pipe = _start(limits, settings)
    body = receive(jobs)
    judge = Judge(body, limits)
    try:
        payload = judge.payload()
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        payload, judge.broken = b"", error
    with suppress(BrokenPipeError):
        write_all(job_pipe, payload)
    os.close(job_pipe)
    found = watch(pid, pipes, limits, settings["base"])
    if not settings["namespaces"]:
        shutil.rmtree(settings["scratch"], ignore_errors=True)
    send(results, judge.result(found))
    return 0


def _start(
    limits: dict[str, Any], settings: dict[str, Any]
) -> tuple[int, tuple[int, int, int], int]:
    """The cell, the ends of its pipes that are read, and the one that its job is written to."""
    out, err, said, job = os.pipe(), os.pipe(), os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            cell.enter(limits, (out[1], err[1], said[1], job[0]), settings)
            status = _live()
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            status = 71
        finally:
            os._exit(status & 255)
    for fd in (out[1], err[1], said[1], job[0]):
        os.close(fd)
    return pid, (out[0], err[0], said[0]), job[1]


def _live() -> int:
    with os.fdopen(cell.JOB, "rb") as file:
        payload = file.read()
    if not payload:
        return 0
    status = harness.run(payload, cell.RESULT)
    with suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    return status


class Judge:
    """What was asked of a program, and whether its answers are right."""

    def __init__(self, job: dict[str, Any], limits: dict[str, Any]) -> None:
        self._job, self._kind, self._limits = job, job["kind"], limits
        self._word = secrets.token_hex(16)
        self._suite = Suite()
        self._static = 0
        self.broken: BaseException | None = None

    def payload(self) -> bytes:
        """What the cell is sent. Raises what a bad test source raises."""
        job: dict[str, Any] = {**self._job, "word": self._word}
        if self._kind == "tests":
            name = f"_{secrets.token_hex(8)}"
            sources = [s for s in job.pop("tests") if s.strip()]
            if job["framework"] == "pytest":
                return self._for_pytest(job, sources)
            self._suite = taken_apart(sources, name)
            job["name"] = name
            job["units"] = [
                marshal.dumps(compile(tree, file, "exec", dont_inherit=True))
                for file, tree in self._suite.units
            ]
        return marshal.dumps(job)

    def _for_pytest(self, job: dict[str, Any], sources: list[str]) -> bytes:
        trees = [ast.parse(source) for source in sources]
        self._kind = job["kind"] = "pytest"
        self._suite.count = sum(map(assertions, trees))
        self._static = sum(
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name.startswith("test")
            for tree in trees
            for node in ast.walk(tree)
        )
        job["tests"] = "from solution import *\n" + "\n".join(sources)
        return marshal.dumps(job)

    def result(self, found: Watched) -> dict[str, Any]:
        """The verdict, with how the program ran."""
        said = self._lines(found.output[2])
        reason, evidence = self._verdict(found, said)
        return {
            "passed": not reason,
            "reason": reason,
            "evidence": evidence,
            "end": found.end,
            "status": found.status,
            "stdout": found.output[0].decode("utf-8", "replace"),
            "stderr": found.output[1].decode("utf-8", "replace"),
            "seconds": found.seconds,
            "cpu": found.cpu,
            "asserts": self._suite.count,
            "framework": self._kind,
            "coverage": next((parts[0] for tag, *parts in said if tag == "end" and parts), None),
        }

    def _lines(self, data: bytes | bytearray) -> list[list[Any]]:
        """What the harness said; what anybody else wrote there is left out."""
        said = []
        for line in data.split(b"\n"):
            try:
                parts = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(parts, list) and len(parts) > 1 and parts[0] == self._word:
                said.append(parts[1:])
        return said

    def _verdict(self, found: Watched, said: list[list[Any]]) -> tuple[str, dict[str, Any]]:
        if self.broken is not None:
            line = getattr(self.broken, "lineno", None)
            words = f"{type(self.broken).__name__}: {self.broken}"
            return "syntax", {"in": "tests", "error": words[:300], "line": line}
        if found.status == 71 and found.end == "ended":
            return "lost", {"error": found.output[1][-500:].decode("utf-8", "replace")}
        if found.end in ("timeout", "memory", "output"):
            return found.end, {"error": self._past(found.end)}
        wrong = self._wrong(said)
        if wrong:
            return "wrong", wrong
        failed = next((parts for tag, *parts in said if tag == "fail"), None)
        if failed:
            return failed[0], self._placed(failed[1])
        if self._kind == "command":
            return self._commands(found, said)
        finished = any(tag in ("end", "exit") for tag, *_ in said)
        if not finished:
            early = f"{_ending(found.status)} before it was done"
            return "error", {"error": early}
        if found.status:
            return "error", {"error": _ending(found.status)}
        if self._kind in ("tests", "pytest"):
            return self._complete(said)
        return "", {}

    def _past(self, limit: str) -> str:
        """Which limit was passed."""
        if limit == "timeout":
            return f"it took longer than {self._limits['seconds']:g} s"
        size = self._limits[limit]
        most = f"{size / 1e6:g} MB" if size >= 1e6 else f"{size} bytes"
        verb = "printed" if limit == "output" else "wanted"
        return f"it {verb} more than {most}" + (" of memory" if limit == "memory" else "")

    def _wrong(self, said: list[list[Any]]) -> dict[str, Any] | None:
        """The first value that is not the one that was expected."""
        for tag, *parts in said:
            if tag != "value":
                continue
            asked = self._suite.asked[parts[0]]
            got = _decoded(parts[1])
            if got != asked.expected:
                return {
                    "assert": asked.text,
                    "got": shown(got),
                    "expected": f"== {shown(asked.expected)}",
                    "line": asked.line,
                }
        return None

    def _placed(self, evidence: dict[str, Any]) -> dict[str, Any]:
        number = evidence.pop("number", None)
        if number is None:
            return evidence
        asked = self._suite.asked[number]
        return {"assert": asked.text, **evidence, "line": asked.line}

    def _commands(self, found: Watched, said: list[list[Any]]) -> tuple[str, dict[str, Any]]:
        for tag, *parts in said:
            if tag == "absent":
                return "absent", {"error": parts[1]}
            if tag == "ran" and parts[1]:
                reason = "compile" if parts[0] == "compile" else "error"
                return reason, {"error": _ending(parts[1])}
        if any(tag == "end" for tag, *_ in said):
            return "", {}
        return "error", {"error": _ending(found.status)}

    def _complete(self, said: list[list[Any]]) -> tuple[str, dict[str, Any]]:
        """Whether all tests ran to their end, and asserted something."""
        done = {parts[0] for tag, *parts in said if tag == "done"}
        asked = {parts[0] for tag, *parts in said if tag in ("seen", "value")}
        if self._kind == "pytest":
            collected = next((parts[0] for tag, *parts in said if tag == "collected"), 0)
            if not collected or not self._suite.count:
                return "no_tests", {}
            whole = len(done) >= max(collected, self._static)
        else:
            must = {i for i, asked_ in enumerate(self._suite.asked) if asked_.must}
            whole = len(done) == len(self._suite.units) and must <= asked
            if whole and not self._suite.count:
                return "no_tests", {}
            if whole and self._suite.asked and not asked:
                return "no_tests", {"error": "none of the asserts was reached"}
        if not whole:
            return "error", {"error": "not all tests ran to their end"}
        return "", {}


def _decoded(form: Any) -> Any:
    try:
        return decode(form)
    except (TypeError, ValueError, KeyError, ArithmeticError, RecursionError):
        return Foreign("unknown", "a value that cannot be read")


def _ending(status: int) -> str:
    if status < 0:
        return f"ended by signal {signal.strsignal(-status) or -status}"
    return f"ended with status {status}"
