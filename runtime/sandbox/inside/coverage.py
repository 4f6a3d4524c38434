"""Which lines of a program its tests reach."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any


class Coverage:
    """Records the lines of one file that run, by `sys.settrace`; other files cost one call each."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._lines: set[int] = set()

    def start(self) -> None:
        """From here on, in this thread and those to come."""
        threading.settrace(self._enter)
        sys.settrace(self._enter)

    def found(self, source: str) -> tuple[list[int], list[int]]:
        """Lines that ran, and those that did not; lines without code are neither."""
        sys.settrace(None)
        lines = set(lines_of(compile(source, self._file, "exec")))
        return sorted(lines & self._lines), sorted(lines - self._lines)

    def _enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self._line if frame.f_code.co_filename == self._file else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self._lines.add(frame.f_lineno)
        return self._line


def lines_of(code: CodeType) -> Iterator[int]:
    """Lines on which a statement starts, also in the functions inside."""
    first = code.co_firstlineno
    for _, _, line in code.co_lines():
        if line and (line != first or code.co_name == "<module>"):
            yield line
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from lines_of(constant)
