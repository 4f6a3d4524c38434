"""Hold a model that scores in a child process, so that neither its work nor its crash is ours."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..child_process import ChildProcess, spawn
from ..requests import EngineError

_LONGEST_LINE = 1 << 28
"""Bytes of a batch of answers: vectors of thousands of numbers, times a batch, with room."""

Question = Sequence[tuple[str, str]]
"""`(role, text)`, turn by turn."""


@dataclass(slots=True)
class Child(ChildProcess):
    """A process that runs, or has died."""

    model: str = ""

    async def ask(self, said: Any) -> dict[str, Any]:
        """Send a line, await a line. Raises `ConnectionError`, if it has died."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None and stdout is not None
        stdin.write(json.dumps(said).encode() + b"\n")
        await stdin.drain()
        line = await stdout.readline()
        if not line:
            raise ConnectionResetError
        found: dict[str, Any] = json.loads(line)
        return found

    async def answers(self, questions: Sequence[Question]) -> list[dict[str, Any]]:
        """Answer a batch.

        Raises:
            EngineError: `memory` or `failed`, as the child says.
            ConnectionError: It has died.
        """
        found = await self.ask([list(map(list, q)) for q in questions])
        if "error" in found:
            memory = found["kind"] == "memory"
            hint = "; lower placement.batch" if memory else ""
            raise EngineError(found["kind"], f"{found['error']}{hint}", retryable=not memory)
        answers: list[dict[str, Any]] = found["answers"]
        return answers

    async def _load(self, config: Mapping[str, Any]) -> None:
        assert self.process.stderr is not None
        self.follow(self.process.stderr)
        answer: dict[str, Any] = {}
        # A child that dies while it loads closes its pipes; its log then says more than we could.
        with contextlib.suppress(ConnectionError, ValueError):
            answer = await self.ask(config)
        if "ready" in answer:
            return
        await self.failed()
        said = answer.get("error") or self.last_words()
        raise EngineError("load", f"could not load {self.model}: {said}", retryable=False)


async def start_child(model: str, config: Mapping[str, Any]) -> Child:
    """Start a process and wait until it has loaded the model.

    Args:
        model: As the recipe names it.
        config: For `classifier.load_classifier`.

    Raises:
        EngineError: `load`, with what it said, if it does not come up.
    """
    child = Child(await spawn(f"{__package__}.server", limit=_LONGEST_LINE), model)
    await child.load(child._load(config), f"{model} was not loaded in time")
    return child
