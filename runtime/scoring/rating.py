"""What a rating model is asked about a row, and a check on the number that it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..verdict import Row, Verdict
from .wire import pair, read_score

if TYPE_CHECKING:
    from ..consult import Consult
    from ..requests import Message


def question(
    row: Mapping[str, Any], asked: Sequence[str], got: Sequence[str]
) -> tuple[Message, ...]:
    """What was asked and what was answered, as a conversation.

    Args:
        row: A row.
        asked: The columns that hold what was asked; their texts stand a blank line apart.
        got: Likewise, what was answered. Null is no text.
    """
    return pair(_text(row, asked), _text(row, got))


@dataclass(frozen=True, slots=True)
class Rated:
    """Passes rows that a model rates highly enough.

    Attributes:
        asked: Columns of what was asked.
        got: Columns of what was answered.
        least: The least number that passes.
    """

    asked: Sequence[str]
    got: Sequence[str]
    least: float

    async def __call__(self, row: Row, consult: Consult) -> Verdict:
        """Judge a row. Raises `EngineError`."""
        entry = await consult.ask("model", question(row, self.asked, self.got))
        seen = {"score": read_score(entry.text)}
        passed = seen["score"] >= self.least
        return Verdict(True, evidence=seen) if passed else Verdict(False, "reward", seen)

    def prompts(self, row: Row) -> list[tuple[str, tuple[Message, ...]]]:
        """All that it asks of a row."""
        return [("model", question(row, self.asked, self.got))]


def _text(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    return "\n\n".join(str(row[name]) for name in columns if row[name] is not None)
