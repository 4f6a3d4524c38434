"""Repairs: a prompt that is told what failed and why, and the model that mends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .requests import Message
from .verdict import Row

if TYPE_CHECKING:
    from ..compiler.plan import PlanNode
    from ..compiler.prompts import PromptFile
    from .ledger import Entry
    from .outcome import Attempt
    from .prompting import Renderer
    from .replies import Read
    from .tools import Line


@dataclass(frozen=True, slots=True)
class Repair:
    """A rung that repairs.

    Attributes:
        prompt: What it asks.
        renderer: The same, compiled.
        line: The model that it asks.
        sampling: How.
    """

    prompt: PromptFile
    renderer: Renderer
    line: Line
    sampling: Mapping[str, Any]

    def messages(self, row: Row, failure: Attempt) -> tuple[Message, ...]:
        """What it asks of a row that failed.

        Args:
            row: Its columns, those of the failed reply among them; what a reply without its shape
                does not hold is null.
            failure: What was found wrong with it.

        Raises:
            RenderError: The prompt cannot be rendered.
        """
        told = {
            "check": failure.failed,
            "reason": failure.reason,
            "evidence": as_text(failure.evidence),
            "reply": failure.text,
        }
        blank = dict.fromkeys(name for name, _ in self.prompt.inputs)
        return self.renderer.messages({**blank, **row, **told}, str(row.get("_doc")))

    def fits(self, messages: tuple[Message, ...]) -> bool:
        """Whether prompt and longest reply fit the model's context, if that is known."""
        if self.line.context is None:
            return True
        (size,) = self.line.tokens.count_chat([messages])
        return size + int(self.sampling["max_tokens"]) <= self.line.context

    async def ask(self, messages: tuple[Message, ...], draw: int) -> Entry:
        """Its reply. Raises `EngineError`."""
        return await self.line.ask(messages, self.sampling, draw)

    def reader(self, messages: tuple[Message, ...]) -> Read:
        """How its reply is read."""
        from .replies import reader_of

        return reader_of(self.prompt.shape, messages)


def repairs_of(
    node: PlanNode, own: Line, lines: Mapping[str, Line], read: Callable[[Any], PromptFile]
) -> dict[int, Repair]:
    """The repairs of a step, by their places in its ladder.

    Args:
        node: The step.
        own: The model that it asks itself.
        lines: Models by place.
        read: Reads a prompt that the plan carries.
    """
    found: dict[int, Repair] = {}
    for number, rung in enumerate(node.definition["params"].get("on_fail") or ()):
        if rung["rung"] == "repair":
            prompt = read(node.prompts[f"on_fail.{number}.prompt"])
            line = lines.get(f"on_fail.{number}.model", own)
            found[number] = repair_of(prompt, line, rung["sampling"])
    return found


def repair_of(prompt: PromptFile, line: Line, sampling: Mapping[str, Any]) -> Repair:
    """A repair; a reply that is one JSON object is held to its schema while it is drawn."""
    from .prompting import Renderer
    from .replies import schema_of

    if schema := schema_of(prompt):
        sampling = {**sampling, "schema": schema}
    return Repair(prompt, Renderer(prompt, line.tokens.special), line, sampling)


def as_text(evidence: Mapping[str, Any]) -> str:
    """Evidence for a prompt, one thing a line: `lost: 1903, 1911`; long texts below their name."""
    return "\n".join(_line(name, value) for name, value in evidence.items())


def _line(name: str, value: Any) -> str:
    words = name.replace("_", " ")
    if isinstance(value, Mapping):
        value = [f"{k}: {_word(v)}" for k, v in value.items()]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"{words}: {', '.join(map(_word, value)) or 'none'}"
    text = _word(value)
    return f"{words}:\n{text}" if "\n" in text else f"{words}: {text}"


def _word(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "; ".join(f"{k}: {_word(v)}" for k, v in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_word, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
