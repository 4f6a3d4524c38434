"""A yes before much is spent."""

from __future__ import annotations

from typing import TextIO

from ...compiler.guarding.approval import Approval
from ..faults import RunError

REFUSED = 3
"""Exit code: refused by budget or approval."""


class RefusedError(RunError):
    """Nobody said yes, or the budget is not enough. Nothing was spent."""

    def __init__(self, message: str, diagnostic: str) -> None:
        super().__init__(message, status="refused", code=REFUSED, diagnostic=diagnostic)


def consent(
    asked: Approval,
    *,
    yes: bool,
    no_input: bool,
    go_on: str,
    stdin: TextIO | None,
    stderr: TextIO | None,
) -> None:
    """Ask, if it is so much that one should; only on a terminal.

    Args:
        asked: What would be spent.
        yes: Whether the command line said yes.
        no_input: Whether it forbids to ask.
        go_on: What was typed, to be typed again with `--yes`.
        stdin: Where the answer comes from.
        stderr: Where the question goes.

    Raises:
        RefusedError: The answer is no, or nobody is here to give one.
    """
    if yes or not asked.needed:
        return
    if no_input or not (_is_terminal(stdin) and _is_terminal(stderr)):
        raise RefusedError(
            f"{asked.words}\n  nobody was asked: to allow it, type: {go_on} --yes", "B560"
        )
    assert stdin is not None
    assert stderr is not None
    stderr.write(f"{asked.words}  Continue? [y/N] ")
    stderr.flush()
    answer = stdin.readline()
    if not answer.endswith("\n"):  # the input has ended
        stderr.write("\n")
    if answer.strip().lower() not in ("y", "yes"):
        raise RefusedError("not approved, so nothing was sent", "B560")


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # it has been closed
        return False
