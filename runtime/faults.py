"""Faults that end a run, in the user's words."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any

_FULL = (errno.ENOSPC, errno.EDQUOT)


class RunError(Exception):
    """The run cannot go on; the message says why and what to do. Everything paid for is saved.

    Attributes:
        status: What the record says.
        code: The exit code of the command.
        diagnostic: Its row in the table of diagnostics, for `check --explain`; empty if none.
    """

    def __init__(
        self, message: str, *, status: str = "failed", code: int = 1, diagnostic: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.diagnostic = diagnostic


class PausedError(RunError):
    """The run paused at a cap or a breaker. What was made stands beside the output, as `.partial`.

    Attributes:
        record: The run record, the partial data set in it.
        more: What to type behind the command that goes on, for it to get any further.
    """

    def __init__(self, message: str, record: Mapping[str, Any], more: str) -> None:
        super().__init__(message, status="paused", code=5)
        self.record = record
        self.more = more


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


def said(error: OSError) -> str:
    """An input/output fault in the user's words."""
    where = f": {error.filename}" if error.filename else ""
    if error.errno in _FULL:
        return f"the disk is full{where}; everything made before is saved: free space and run again"
    return f"{error.strerror or error}{where}"
