"""Faults that end a run, in the user's words."""

from __future__ import annotations

import errno
import re

_NUMBER = re.compile(r"\(os error (\d+)\)")
"""How polars, which does not always raise `OSError`, names the system's error."""

_FULL = (errno.ENOSPC, errno.EDQUOT)


class RunError(Exception):
    """The run cannot go on; the message says why and what to do. Everything paid for is saved.

    Attributes:
        status: What the record says.
        code: The exit code of the command.
    """

    def __init__(self, message: str, *, status: str = "failed", code: int = 1) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class MisfitError(RunError):
    """The data does not fit what a step does with it.

    Attributes:
        step: The step.
        reason: What does not fit.
    """

    def __init__(self, step: str, reason: str) -> None:
        first = reason.strip().splitlines()[0] if reason.strip() else "unknown"
        super().__init__(f"step `{step}` does not fit the data: {first}")
        self.step = step
        self.reason = first


def errno_of(error: Exception) -> int | None:
    """The system's number of an input/output fault; None if it is none."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    found = _NUMBER.search(str(error))
    return int(found[1]) if found else None


def said(error: Exception) -> str:
    """An input/output fault in the user's words."""
    name = getattr(error, "filename", None)
    where = f": {name}" if name else ""
    if errno_of(error) in _FULL:
        return f"the disk is full{where}; everything made before is saved: free space and run again"
    return f"{getattr(error, 'strerror', None) or error}{where}"
