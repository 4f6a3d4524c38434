"""Who watches a run for people: a live table on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

from . import words
from .events import Event, event_line
from .journal import Stopping
from .meter import Meter
from .table import picture

if TYPE_CHECKING:
    from ..execution import Execution

LIVE_SECONDS = 0.25
LINE_SECONDS = 15.0


def watcher(stream: TextIO) -> Callable[[Execution, Stopping], Any]:
    """The watch of `run_plan`: a live table where the stream is a terminal, else plain lines."""

    @asynccontextmanager
    async def watch(execution: Execution, stopping: Stopping) -> AsyncIterator[None]:
        show = _live if stream.isatty() else _lines
        task = asyncio.create_task(show(execution, stopping, stream))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return watch


def listener(stream: TextIO) -> Callable[[Event], None]:
    """The `events` of `run_plan`, writing each to a stream as a line of JSON."""

    def listen(event: Event) -> None:
        with suppress(OSError, ValueError):  # nobody reads any more
            stream.write(event_line(event).decode())
            stream.flush()

    return listen


async def _live(execution: Execution, stopping: Stopping, stream: TextIO) -> None:
    from rich.console import Console
    from rich.live import Live

    console, meter = Console(file=stream), Meter()

    def shown() -> Any:
        halt = execution.halt
        why = words.stopping(halt.cause, halt.message) if stopping() else ""
        view = meter.look(execution)
        return picture(view, console.width, height=console.height, stopping=why)

    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            live.update(shown(), refresh=True)
            await asyncio.sleep(LIVE_SECONDS)


async def _lines(execution: Execution, stopping: Stopping, stream: TextIO) -> None:
    said = False
    alarmed = 0
    last = time.monotonic()
    meter = Meter()
    while True:
        await asyncio.sleep(LIVE_SECONDS)
        if stopping() and not said:
            said = True
            stream.write(words.stopping(execution.halt.cause, execution.halt.message) + "\n")
            stream.flush()
        if time.monotonic() - last >= LINE_SECONDS:
            last = time.monotonic()
            view = meter.look(execution)
            alarms = words.alarms(view)[alarmed:]
            alarmed += len(alarms)
            stream.write("\n".join([*alarms, words.line(view)]) + "\n")
            stream.flush()
