"""A child process that holds a model, so that neither its work nor its crash is ours."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .requests import EngineError

LEAVE_SECONDS = 5.0
_LOAD_SECONDS = 900.0
_LAST_LINES = 8


@dataclass(slots=True)
class ChildProcess:
    """A process that runs, or has died. The end of its standard input is its sign to leave."""

    process: Process
    _log: deque[str] = field(default_factory=lambda: deque(maxlen=_LAST_LINES), init=False)
    _readers: list[asyncio.Task[None]] = field(default_factory=list, init=False)

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

    async def close(self) -> None:
        """End it and wait until it is gone."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        if not await self.ended(LEAVE_SECONDS):
            self.kill()
            await self.process.wait()
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)

    def kill(self) -> None:
        """End it without asking."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    def follow(self, stream: asyncio.StreamReader, skip: str | None = None) -> None:
        """Keep the last lines of a stream as its log, but for those that hold `skip`."""
        self._readers.append(asyncio.create_task(self._read(stream, skip)))

    async def _read(self, stream: asyncio.StreamReader, skip: str | None) -> None:
        # Read to the end whatever comes: a full pipe would stop the child.
        while True:
            try:
                line = await stream.readline()
            except ValueError:
                continue  # A line longer than the reader's buffer; it has been dropped.
            if not line:
                return
            text = line.decode("utf-8", errors="replace").strip()
            if text and not (skip and skip in text):
                self._log.append(text[:200])

    async def failed(self) -> None:
        """Wait until one that did not load is gone, and its log is here."""
        await self.ended(LEAVE_SECONDS)
        # The log may still be on its way through the pipe.
        await asyncio.wait(self._readers, timeout=1.0)

    async def load(self, loading: Awaitable[None], late: str) -> None:
        """Wait until it has loaded; end it if that fails.

        Raises:
            EngineError: `load`, in the words `late`, if it takes too long.
        """
        try:
            await asyncio.wait_for(loading, _LOAD_SECONDS)
        except BaseException as error:
            self.kill()
            await self.close()
            if isinstance(error, TimeoutError):
                raise EngineError("load", late, retryable=False) from None
            raise


async def spawn(module: str, *, env: Mapping[str, str] | None = None, **options: Any) -> Process:
    """Start a module of ours in a process with pipes."""
    return await asyncio.create_subprocess_exec(
        # -P: a file of the current folder must not stand in for a module.
        *(sys.executable, "-P", "-m", module),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env=env,
        # Ctrl-C goes to the whole session: the parent decides what it means for the child.
        start_new_session=True,
        **options,
    )
