"""A number for each row, from a model that rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...compiler.params import Columns
from ...compiler.registry import Model, step
from ..outcome import Attempt, Outcome, Unit
from ..requests import Message
from ..scoring.rating import question
from ..scoring.wire import PLAIN, read_score
from ..tools import Tools

_ASKED: Any = "input.text"
_GOT: Any = "text"


@dataclass(frozen=True, slots=True)
class Score:
    """A built `score` step."""

    params: Mapping[str, Any]
    tools: Tools

    def prompts(self, row: Mapping[str, Any]) -> list[tuple[Message, ...]]:
        """What is asked of a row."""
        return [question(row, self.params["asked"], self.params["got"])]

    async def run(self, row: Mapping[str, Any]) -> tuple[Outcome, ...]:
        """Ask for a row's number. Raises `EngineError`."""
        (messages,) = self.prompts(row)
        entry = await self.tools.ask(messages, PLAIN, 0)
        score = read_score(entry.text)
        attempt = Attempt(0, entry.key.hex(), entry.text, "stop")
        unit = Unit(messages[-1].content, messages, (attempt,), "accepted", entry.text)
        # The row is what it was, and one number richer: it keeps its identity.
        return (Outcome("out", ({**row, "score": score},), units=(unit,)),)


@step(
    stage="generate",
    version=1,
    cost="model",
    writes=("score",),
    drops=False,
    tasks={"model": ("reward", "score")},
)
def score(
    model: Model,
    asked: Columns = _ASKED,
    got: Columns = _GOT,
) -> Any:
    """Let a model rate each row; its number becomes the column `score`.

    Args:
        model: A model with `task: reward`, whose numbers have no bounds, or `task: score`, from 0
            to 1.
        asked: The column that holds what was asked, or several. If absent: what a rewrite was
            given; where no model wrote the text, the text itself.
        got: What was answered, likewise. If absent: the rewritten text; where no model wrote the
            text, the fields of the last reply.
    """
    bound: dict[str, Any] = {"asked": asked, "got": got}

    def build(tools: Tools) -> Score:
        return Score(bound, tools)

    return build
