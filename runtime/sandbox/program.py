"""A program to run in a sandbox, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["tests", "script", "command", "compile"]
Framework = Literal["auto", "assert", "pytest"]


@dataclass(frozen=True, slots=True)
class Program:
    """What to run.

    Attributes:
        kind: Python with `tests`, a Python `script`, `command`s over files, or only `compile`.
        code: The Python program.
        tests: Sources of its tests, run in this order in the program's own namespace.
        setup: Python that runs after the program and before its tests.
        framework: How tests are run; a pool takes pytest for `auto` where they lean on it.
        coverage: Whether to record which lines of the program run.
        files: Text by name, for commands.
        commands: Stage (`compile`, `run`) and arguments.
    """

    kind: Kind
    code: str = ""
    tests: tuple[str, ...] = ()
    setup: str = ""
    framework: Framework = "auto"
    coverage: bool = False
    files: Mapping[str, str] = field(default_factory=dict)
    commands: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a program.

    Attributes:
        passed: Whether it ran to its end, and its tests hold.
        reason: Why not: `wrong error timeout memory output syntax no_tests compile`.
        evidence: What shows it.
        stdout: What it printed, cut at its limit.
        stderr: The same of standard error.
        status: Exit status, negative for a signal.
        seconds: Wall-clock time.
        asserts: Assertions in its tests.
        coverage: Lines that ran and lines that did not, if they were recorded.
    """

    passed: bool
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    stdout: str = ""
    stderr: str = ""
    status: int = 0
    seconds: float = 0.0
    asserts: int = 0
    coverage: tuple[tuple[int, ...], tuple[int, ...]] | None = None
