"""The number of a draw, on every row that is one of several of its source row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ..outcome import Outcome
from ..requests import Message


class ModelOp(Protocol):
    """A built model step, one outcome a sample, in order."""

    def prompts(self, row: Mapping[str, Any]) -> list[tuple[Message, ...]]:
        """What its first attempts ask of a row."""
        ...

    async def run(self, row: Mapping[str, Any]) -> Sequence[Outcome]:
        """What comes of a row."""
        ...


@dataclass(frozen=True, slots=True)
class Numbered:
    """A model step with several samples whose rows say which of them they are.

    `_draw` of sample `s` is `_draw * samples + s`, with 0 for the `_draw` of a row that has none:
    so the draws of a chain of such steps are numbered through.
    """

    op: ModelOp
    samples: int

    def prompts(self, row: Mapping[str, Any]) -> list[tuple[Message, ...]]:
        """What its first attempts ask of a row."""
        return self.op.prompts(row)

    async def run(self, row: Mapping[str, Any]) -> tuple[Outcome, ...]:
        """What comes of a row. Raises `EngineError`."""
        first = int(row.get("_draw") or 0) * self.samples
        return tuple(
            _numbered(outcome, first + sample)
            for sample, outcome in enumerate(await self.op.run(row))
        )


def _numbered(outcome: Outcome, draw: int) -> Outcome:
    if outcome.end != "out":
        return outcome
    return replace(outcome, rows=tuple({**row, "_draw": draw} for row in outcome.rows))
