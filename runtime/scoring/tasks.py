"""What a model is for: to write, or to put numbers on texts."""

from __future__ import annotations

from typing import Literal

from ..engines.base import ModelSpec
from ..requests import EngineError

Task = Literal["generate", "reward", "score", "nli", "embed"]
"""`generate` writes. `reward` rates a conversation, `score` a pair of texts; `nli` says whether a
text follows from another; `embed` places a text in a space of meanings."""


def task_of(spec: ModelSpec) -> str:
    """The task of a model; `generate` where the recipe names none."""
    return str(spec.options.get("task", "generate"))


def unsupported(spec: ModelSpec, engine: str, known: tuple[str, ...]) -> EngineError | None:
    """The error of a task that an engine does not do, or None."""
    task = task_of(spec)
    if task in known:
        return None
    return EngineError(
        "task",
        f"models.{spec.name} has `task: {task}`, and the {engine} engine does {', '.join(known)}",
        retryable=False,
    )
