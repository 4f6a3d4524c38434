"""Hold llama.cpp's server in a child process, so that its crash is not ours."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

from ..requests import EngineError

_LOAD_SECONDS = 900.0
_LEAVE_SECONDS = 5.0
_LAST_LINES = 8
_SPINS = "2000"
"""How long llama.cpp's threads spin for each other before they sleep (libgomp). With libgomp's own,
much longer default, replies took about five times as long where other work shared both cores."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the child is told: path of the model, slots, context a slot, threads (0: its choice)."""

    model: str
    slots: int
    context: int
    threads: int = 0


@dataclass(slots=True)
class Child:
    """A server that runs, or has died.

    Attributes:
        process: The child.
        port: Where it listens, on this machine only.
        key: What it wants as bearer token, so that no other program of this machine is served.
    """

    process: Process
    port: int = 0
    key: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    _log: deque[str] = field(default_factory=lambda: deque(maxlen=_LAST_LINES))
    _readers: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def alive(self) -> bool:
        """Whether it has not been seen to end."""
        return self.process.returncode is None

    async def ended(self, within: float) -> bool:
        """Whether it ends within so many seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), within)
        return not self.alive

    def last_words(self) -> str:
        """How it ended, and the last lines of its log."""
        code = self.process.returncode
        end = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        return "; ".join([end, *self._log])

    async def close(self) -> None:
        """End it and wait until it is gone."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        if not await self.ended(_LEAVE_SECONDS):
            self.kill()
            await self.process.wait()
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)

    def kill(self) -> None:
        """End it without asking."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    async def _load(self, settings: Settings) -> None:
        stdin, stdout, stderr = self.process.stdin, self.process.stdout, self.process.stderr
        assert stdin is not None and stdout is not None and stderr is not None
        self._readers.append(asyncio.create_task(self._follow(stderr)))
        stdin.write(json.dumps({**asdict(settings), "key": self.key}).encode() + b"\n")
        answer: dict[str, Any] = {}
        # A child that dies while it loads closes both pipes; its log then says more than we could.
        with contextlib.suppress(ConnectionError, ValueError):
            await stdin.drain()
            answer = json.loads(await stdout.readline())
        if "port" not in answer:
            await self.ended(_LEAVE_SECONDS)
            # The log may still be on its way through the pipe.
            await asyncio.wait(self._readers, timeout=1.0)
            said = answer.get("error") or "it ended"
            raise EngineError(
                "load",
                f"llama.cpp could not load {settings.model}: {said} ({self.last_words()})",
                retryable=False,
            )
        self.port = answer["port"]
        self._readers.append(asyncio.create_task(self._follow(stdout)))

    async def _follow(self, stream: asyncio.StreamReader) -> None:
        # Read to the end whatever comes: a full pipe would stop the child.
        while True:
            try:
                line = await stream.readline()
            except ValueError:
                continue  # A line longer than the reader's buffer; it has been dropped.
            if not line:
                return
            text = line.decode("utf-8", errors="replace").strip()
            # What the server told a client is not why it ended.
            if text and "send_error" not in text:
                self._log.append(text[:200])


async def start_child(settings: Settings) -> Child:
    """Start a server and wait until it has loaded the model.

    Raises:
        EngineError: `load`, with the child's last words, if it does not come up.
    """
    process = await asyncio.create_subprocess_exec(
        # -P: a file of the current folder must not stand in for a module.
        *(sys.executable, "-P", "-m", f"{__package__}.server"),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env={"GOMP_SPINCOUNT": _SPINS, **os.environ},
        # Ctrl-C goes to the whole session: the parent decides what it means for the child.
        start_new_session=True,
    )
    child = Child(process)
    try:
        await asyncio.wait_for(child._load(settings), _LOAD_SECONDS)
    except TimeoutError:
        child.kill()
        await child.close()
        raise EngineError(
            "load", f"llama.cpp did not load {settings.model} in time", retryable=False
        ) from None
    except BaseException:
        child.kill()
        await child.close()
        raise
    return child
