"""What is wrong with an expression, and where in its text."""

from __future__ import annotations

from dataclasses import dataclass

_SHOWN = 40


def clip(text: str) -> str:
    """A text of the user's, on one line and short enough for a message."""
    start = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in start)


@dataclass(frozen=True, slots=True)
class Problem:
    """One cause, one problem.

    Attributes:
        code: X150 syntax, X151 an unknown name, X152 types, X153 a null that nothing speaks for,
            X154 a constant that cannot work.
        message: One line that stands alone.
        start: First character, counted from 0 in the text of the expression.
        end: One past the last; equal to `start` where something is missing.
        help: What to type, as a sentence.
        replacement: Text for `[start, end)` that mends it, if one is surely meant.
    """

    code: str
    message: str
    start: int
    end: int
    help: str | None = None
    replacement: str | None = None
