"""Hold llama.cpp's server in a child process, so that its crash is not ours."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from typing import Any

from ..child_process import ChildProcess, spawn
from ..requests import EngineError

_CLIENTS = "send_error"
"""In lines of its log that say what the server told a client, which is not why it ended."""
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
class Child(ChildProcess):
    """A server that runs, or has died.

    Attributes:
        port: Where it listens, on this machine only.
        key: What it wants as bearer token, so that no other program of this machine is served.
    """

    port: int = 0
    key: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)

    async def _load(self, settings: Settings) -> None:
        stdin, stdout, stderr = self.process.stdin, self.process.stdout, self.process.stderr
        assert stdin is not None and stdout is not None and stderr is not None
        self.follow(stderr, _CLIENTS)
        stdin.write(json.dumps({**asdict(settings), "key": self.key}).encode() + b"\n")
        answer: dict[str, Any] = {}
        # A child that dies while it loads closes both pipes; its log then says more than we could.
        with contextlib.suppress(ConnectionError, ValueError):
            await stdin.drain()
            answer = json.loads(await stdout.readline())
        if "port" not in answer:
            await self.failed()
            said = answer.get("error") or "it ended"
            raise EngineError(
                "load",
                f"llama.cpp could not load {settings.model}: {said} ({self.last_words()})",
                retryable=False,
            )
        self.port = answer["port"]
        self.follow(stdout, _CLIENTS)


async def start_child(settings: Settings) -> Child:
    """Start a server and wait until it has loaded the model.

    Raises:
        EngineError: `load`, with the child's last words, if it does not come up.
    """
    env = {"GOMP_SPINCOUNT": _SPINS, **os.environ}
    child = Child(await spawn(f"{__package__}.server", env=env))
    await child.load(child._load(settings), f"llama.cpp did not load {settings.model} in time")
    return child
