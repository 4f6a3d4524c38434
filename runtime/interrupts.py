"""^C, SIGTERM and event loops: who hears of a signal, and where coroutines run."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar, cast

T = TypeVar("T")


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM interrupt as ^C does, where nothing else handles the two."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, in a thread of its own where a loop runs already (notebooks)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    from concurrent.futures import Future, ThreadPoolExecutor

    begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[T]]] = Future()

    async def main() -> T:
        begun.set_result(
            (asyncio.get_running_loop(), cast("asyncio.Task[T]", asyncio.current_task()))
        )
        return await work

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(asyncio.run, main())
        try:
            return running.result()
        except KeyboardInterrupt:
            loop, task = begun.result()
            loop.call_soon_threadsafe(task.cancel)
            raise


@contextmanager
def handled(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> Iterator[None]:
    """Let a loop handle ^C and SIGTERM, where it can; afterwards they are handled as before."""
    before: dict[signal.Signals, Any] = {}
    with suppress(NotImplementedError, RuntimeError, ValueError):
        for name in (signal.SIGINT, signal.SIGTERM):
            was = signal.getsignal(name)
            loop.add_signal_handler(name, act)
            before[name] = was
    try:
        yield
    finally:
        for name, was in before.items():
            loop.remove_signal_handler(name)
            signal.signal(name, was)
