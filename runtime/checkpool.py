"""Checks in worker processes, beside generation, so that they never hold the event loop.

The workers are fresh interpreters that speak over pipes. They are never forked (polars and
llama.cpp hold threads), and not `multiprocessing`'s: its spawned children import the user's main
script again, and one that dies takes a whole `ProcessPoolExecutor` with it.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .checkworker import CHECKS, LENGTH, Builder, CheckError, CheckSpec, judge
from .verdict import Verdict

__all__ = ["CheckCrash", "CheckError", "CheckPool", "CheckSpec"]

BATCH = 32
"""Rows that go to a worker at a time, if so many wait."""

START_SECONDS = 60.0


class CheckCrash(CheckError):
    """A row's checks killed the worker or held it too long, twice, the second time alone."""


@dataclass(eq=False, slots=True)
class _Job:
    """One row to judge."""

    specs: tuple[bytes, ...]
    row: bytes
    names: str
    done: asyncio.Future[tuple[Verdict, ...]]


class CheckPool:
    """Worker processes that judge rows. They start when rows wait and nobody is idle.

    Args:
        workers: How many at most, by default one fewer than there are cores; 0 judges in this
            process, which holds the event loop: for tests and notebooks.
        timeout: Seconds that one row may take before its worker is killed.
        modules: Modules or packages in which checks are looked for, in this order; ours and those
            of plug-ins by default.

    A pool belongs to the event loop in which it is first used.
    """

    def __init__(
        self,
        workers: int | None = None,
        *,
        timeout: float = 60.0,
        modules: Sequence[str] | None = None,
    ) -> None:
        self.workers = max(1, (os.cpu_count() or 2) - 1) if workers is None else workers
        self._timeout = timeout
        self._modules = tuple(_installed() if modules is None else modules)
        self._inline = Builder(self._modules)
        self._queue: asyncio.Queue[_Job] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._jobs: set[_Job] = set()
        self._idle = 0
        self._closed = False

    async def judge(
        self, specs: tuple[CheckSpec, ...], row: Mapping[str, Any]
    ) -> tuple[Verdict, ...]:
        """Run checks on a row in order, up to and including the first that fails.

        Raises:
            CheckError: If a check is unknown, does not build, raises, or returns no `Verdict`, or
                if the pool is closed.
            CheckCrash: If the row killed its worker, or took longer than `timeout`, and did so
                again when tried alone. Other rows are not affected.
        """
        if self._closed:
            raise CheckError("the check pool is closed")
        if not specs:
            return ()
        pickled = _pickled(specs)
        if not self.workers:
            return judge(self._inline.build(pickled), row)
        try:
            data = pickle.dumps(row if type(row) is dict else dict(row), pickle.HIGHEST_PROTOCOL)
        except Exception as error:
            raise CheckError(f"the row cannot be sent to a worker: {error}") from error
        names = ", ".join(f"`{spec.name}`" for spec in specs)
        job = _Job(pickled, data, names, asyncio.get_running_loop().create_future())
        self._jobs.add(job)
        self._queue.put_nowait(job)
        if self._queue.qsize() > self._idle and len(self._tasks) < self.workers:
            self._tasks.append(asyncio.create_task(self._serve(), name="check-worker"))
        try:
            return await job.done
        finally:
            self._jobs.discard(job)

    async def close(self) -> None:
        """Stop the workers at once; rows that are not judged yet raise `CheckError`."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for job in self._jobs:
            if not job.done.done():
                job.done.set_exception(CheckError("the check pool is closed"))

    async def _serve(self) -> None:
        """Drive one worker process, and its replacements."""
        worker = _Worker(self._modules, self._timeout)
        try:
            while True:
                batch = await self._next_batch()
                try:
                    if batch:
                        await worker.run(batch)
                except _WorkerLostError:
                    for job in batch:
                        await self._retry(worker, job)
        finally:
            await worker.stop()

    async def _retry(self, worker: _Worker, job: _Job) -> None:
        """Try a row of a lost batch by itself: whoever kills a worker now is to blame."""
        if job.done.done():
            return
        try:
            await worker.run([job])
        except _WorkerLostError as lost:
            job.done.set_exception(CheckCrash(f"{job.names}: {lost}, twice on this row"))

    async def _next_batch(self) -> list[_Job]:
        self._idle += 1
        try:
            batch = [await self._queue.get()]
        finally:
            self._idle -= 1
        # A fair share of what waits: one worker must not take rows that another could judge now.
        share = min(BATCH, -(-(self._queue.qsize() + 1) // self.workers))
        while len(batch) < share:
            batch.append(self._queue.get_nowait())
        return [job for job in batch if not job.done.done()]


def _installed() -> Sequence[str]:
    """Where checks are: in our own package, and in modules of plug-ins."""
    from .catalog import load_catalog

    found = (check.build.__module__ for check in load_catalog().checks.values())
    return (*CHECKS, *dict.fromkeys(m for m in found if not m.startswith(CHECKS)))


@lru_cache(maxsize=256)
def _pickled(specs: tuple[CheckSpec, ...]) -> tuple[bytes, ...]:
    """A step's specs are the same for all its rows."""
    return tuple(pickle.dumps(spec) for spec in specs)


class _WorkerLostError(Exception):
    """A worker died or was killed; the message says how."""


class _Worker:
    """One worker process, started when it is needed."""

    def __init__(self, modules: Sequence[str], timeout: float) -> None:
        self._modules, self._timeout = modules, timeout
        self._process: Process | None = None

    async def run(self, jobs: Sequence[_Job]) -> None:
        """Judge rows in order; each is done as its answer comes.

        Raises:
            _WorkerLostError: If the worker dies or holds a row too long; it is gone then.
        """
        try:
            process = self._process or await self._start()
            await _send(process, [(job.specs, job.row) for job in jobs])
            waiting = iter(jobs)
            answered = 0
            while answered < len(jobs):
                for failure, data in await _receive(process, self._timeout):
                    _settle(next(waiting), failure, data)
                    answered += 1
        except TimeoutError:
            await self.stop()
            raise _WorkerLostError(f"took longer than {self._timeout:g} seconds") from None
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            status = await self.stop()
            raise _WorkerLostError(f"the worker process ended by {_ending(status)}") from error

    async def _start(self) -> Process:
        code = (
            f"import sys; sys.path[:] = {sys.path!r}; "
            f"from {_Worker.__module__.replace('checkpool', 'checkworker')} import work; "
            f"work({tuple(self._modules)!r})"
        )
        # A session of its own keeps the terminal's Ctrl-C from it, which is the parent's to handle.
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, stdin=PIPE, stdout=PIPE, start_new_session=True
        )
        await _receive(self._process, START_SECONDS)
        return self._process

    async def stop(self) -> int | None:
        """Kill the process; the status with which it ended, if there was one."""
        process, self._process = self._process, None
        if process is None:
            return None
        if process.stdout and process.stdout.at_eof():
            with suppress(TimeoutError):  # one that is dying by itself says why
                await asyncio.wait_for(process.wait(), 1.0)
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # what its checks started goes too
        return await process.wait()


async def _send(process: Process, message: object) -> None:
    assert process.stdin is not None
    data = pickle.dumps(message)
    process.stdin.write(LENGTH.pack(len(data)) + data)
    await process.stdin.drain()


async def _receive(process: Process, seconds: float) -> list[tuple[str | None, bytes]]:
    assert process.stdout is not None
    async with asyncio.timeout(seconds):
        (size,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
        answer: list[tuple[str | None, bytes]] = pickle.loads(
            await process.stdout.readexactly(size)
        )
        return answer


def _settle(job: _Job, failure: str | None, data: bytes) -> None:
    if job.done.done():  # its caller gave up
        return
    if failure is not None:
        job.done.set_exception(CheckError(failure))
        return
    try:
        job.done.set_result(pickle.loads(data))
    except Exception as error:
        job.done.set_exception(CheckError(f"the verdict of {job.names} cannot be read: {error}"))


def _ending(status: int | None) -> str:
    if status is not None and status < 0:
        with suppress(ValueError):
            return f"signal {signal.Signals(-status).name}"
    return f"status {status}"
