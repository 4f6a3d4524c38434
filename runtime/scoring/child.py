"""Hold a model that scores in a child process, so that neither its work nor its crash is ours."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..requests import EngineError

_LOAD_SECONDS = 900.0
_LEAVE_SECONDS = 5.0
_LAST_LINES = 8
_LONGEST_LINE = 1 << 28
"""Bytes of a batch of answers: vectors of thousands of numbers, times a batch, with room."""

Question = Sequence[tuple[str, str]]
"""`(role, text)`, turn by turn."""


@dataclass(slots=True)
class Child:
    """A process that runs, or has died."""

    process: Process
    model: str
    _log: deque[str] = field(default_factory=lambda: deque(maxlen=_LAST_LINES))
    _reader: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether it has not been seen to end."""
        return self.process.returncode is None

    def last_words(self) -> str:
        """How it ended, and the last lines of its log."""
        code = self.process.returncode
        end = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        return "; ".join([end, *self._log])

    async def ended(self, within: float) -> bool:
        """Whether it ends within so many seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), within)
        return not self.alive

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

    async def close(self) -> None:
        """End it and wait until it is gone."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        if not await self.ended(_LEAVE_SECONDS):
            self.kill()
            await self.process.wait()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    def kill(self) -> None:
        """End it without asking."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    async def _load(self, config: Mapping[str, Any]) -> None:
        assert self.process.stderr is not None
        self._reader = asyncio.create_task(self._follow(self.process.stderr))
        answer: dict[str, Any] = {}
        # A child that dies while it loads closes its pipes; its log then says more than we could.
        with contextlib.suppress(ConnectionError, ValueError):
            answer = await self.ask(config)
        if "ready" in answer:
            return
        await self.ended(_LEAVE_SECONDS)
        # The log may still be on its way through the pipe.
        await asyncio.wait([self._reader], timeout=1.0)
        said = answer.get("error") or self.last_words()
        raise EngineError("load", f"could not load {self.model}: {said}", retryable=False)

    async def _follow(self, stream: asyncio.StreamReader) -> None:
        while True:
            try:
                line = await stream.readline()
            except ValueError:
                continue  # A line longer than the reader's buffer; it has been dropped.
            if not line:
                return
            if text := line.decode("utf-8", errors="replace").strip():
                self._log.append(text[:200])


async def start_child(model: str, config: Mapping[str, Any]) -> Child:
    """Start a process and wait until it has loaded the model.

    Args:
        model: As the recipe names it.
        config: For `classifier.load_classifier`.

    Raises:
        EngineError: `load`, with what it said, if it does not come up.
    """
    process = await asyncio.create_subprocess_exec(
        # -P: a file of the current folder must not stand in for a module.
        *(sys.executable, "-P", "-m", f"{__package__}.server"),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        limit=_LONGEST_LINE,
        # Ctrl-C goes to the whole session: the parent decides what it means for the child.
        start_new_session=True,
    )
    child = Child(process, model)
    try:
        await asyncio.wait_for(child._load(config), _LOAD_SECONDS)
    except TimeoutError:
        child.kill()
        await child.close()
        raise EngineError("load", f"{model} was not loaded in time", retryable=False) from None
    except BaseException:
        child.kill()
        await child.close()
        raise
    return child
