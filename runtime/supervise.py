"""Who may stop a run: a signal, a cap, a breaker, an engine that is gone.

The first ^C, like SIGTERM, lets what is in flight come home, for 10 seconds; the second drops it at
once. Both leave whatever was committed, and every other cause waits for what is in flight.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress

from .budget import NoPurse, raised
from .execution import Execution
from .faults import RunError
from .interrupts import handled
from .requests import EngineError
from .window import MissingError

DRAIN_SECONDS = 10.0
"""How long what is in flight may take after ^C …"""
LOST_SECONDS = 60.0
"""… and after an engine was given up, since requests to it may never be answered."""
CLOCK_SECONDS = 1.0
"""How long nobody may notice that the time is up: an engine may have come up meanwhile."""

Watch = Callable[[Execution, Callable[[], bool]], AbstractAsyncContextManager[None]]
"""Shows progress while a run goes on, given the run and whether it is stopping."""


async def supervise(execution: Execution, watch: Watch | None) -> None:
    """Work until done or told to stop; `execution.halt` says which.

    Raises:
        RunError: A signal, an engine or a missing completion ends the run here and now.
    """
    loop = asyncio.get_running_loop()
    halt = execution.halt
    work = asyncio.ensure_future(execution.work())
    signals: list[asyncio.TimerHandle] = []

    def on_signal() -> None:
        halt.call("user", "paused")
        if signals:  # the second time: at once
            work.cancel()
        signals.append(loop.call_later(DRAIN_SECONDS, work.cancel))

    def on_halt() -> None:
        if halt.cause == "engine":
            loop.call_later(LOST_SECONDS, work.cancel)

    halt.listeners.append(on_halt)
    clock = asyncio.ensure_future(_watch_clock(execution))
    try:
        with handled(loop, on_signal):
            if watch is None:
                await work
            else:
                async with watch(execution, lambda: halt.called):
                    await work
    except asyncio.CancelledError as error:
        if halt.cause == "engine":
            raise _given_up(halt.message) from error
        raise RunError("paused", status="paused", code=130) from error
    except MissingError as error:
        raise RunError(f"{error}; run without --replay to make it") from error
    except EngineError as error:
        raise _given_up(str(error)) from error
    finally:
        clock.cancel()
        for signal in signals:
            signal.cancel()
        with suppress(asyncio.CancelledError):
            await execution.close()
    if halt.cause == "engine":
        raise _given_up(halt.message)
    if halt.cause == "user":
        raise RunError("paused", status="paused", code=130)


async def _watch_clock(execution: Execution) -> None:
    """Stop admission when a cap on time is reached, though nobody may ask for anything then."""
    purse = execution.purse
    while not isinstance(purse, NoPurse):
        left = purse.seconds_left()
        await asyncio.sleep(CLOCK_SECONDS if left is None else min(max(left, 0.01), CLOCK_SECONDS))
        if late := purse.late():
            execution.halt.call("deadline", str(late), raised(late))
            return


def _given_up(why: str) -> RunError:
    return RunError(f"{why}; what was made is saved, run again to go on")
