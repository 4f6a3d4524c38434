"""What became of looking at one model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..requests import Completion

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One model, as it was found.

    Attributes:
        model: The recipe's name for it.
        level: `warn` where a run would go on, slower or with less than was meant; `fail` where it
            would not.
        said: How it is, in a line.
        help: What to type or do; empty where there is nothing to do.
        completions: What it replied: each was paid for.
        context: Tokens of prompt and reply that it holds, where somebody says.
    """

    model: str
    level: Level
    said: str
    help: str = ""
    completions: tuple[Completion, ...] = ()
    context: int | None = None

    @property
    def answered(self) -> bool:
        """Whether it was really asked, and replied."""
        return bool(self.completions)
