"""What a run leaves behind while it goes: `begun.json`, `events.ndjson`, `progress.json`.

All of it is best effort: a full disk must not end a run whose results do fit. The file of events is
locked as long as the run lives, so that `status` tells one that works from one that was killed.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .drift import CODE
from .events import Event, event_line, make_event
from .meter import Meter

if TYPE_CHECKING:
    from ...compiler.plan import Plan
    from ..execution import Execution

BEGUN = "begun.json"
"""What a run set out to do; there from its first moment on."""
EVENTS = "events.ndjson"
PROGRESS = "progress.json"

FRESH_SECONDS = 1.0
EVENT_SECONDS = 15.0
"""How often `progress` is told."""
LOOK_SECONDS = 0.25
"""How often it is seen whether the run is to stop."""

Listener = Callable[[Event], None]
Stopping = Callable[[], bool]
Watch = Callable[["Execution", Stopping], AbstractAsyncContextManager[None]]


@dataclass(slots=True)
class Journal:
    """The journal of one run. Made by `begin_journal`; `end` closes it."""

    folder: Path
    listen: Listener | None = None
    go_on: str = "mashbill run"
    _file: FileIO | None = None
    _meter: Meter = field(default_factory=Meter)
    notes: dict[str, str] = field(default_factory=dict)
    """What engines last said of themselves, by model."""
    _told: set[tuple[str, ...]] = field(default_factory=set)
    """Steps, notes and kinds of errors that have been told of."""

    def tell(self, event: str, **fields: Any) -> None:
        """Write an event, and hand it to who listens."""
        made = make_event(event, self.folder.name, **fields)
        if self._file is not None:
            with suppress(OSError):  # one write of a line to a file opened to append
                self._file.write(event_line(made))
        if self.listen is not None:
            self.listen(made)

    def error(self, error: Mapping[str, Any]) -> None:
        """Tell of a row that ended in an error, if it is the first of its step and kind."""
        kind = ("error", str(error.get("step")), str(error.get("reason")))
        if kind not in self._told:
            self._told.add(kind)
            kept = ("step", "reason", "doc", "message", "file", "line")
            self.tell("error", **{k: error[k] for k in kept if error.get(k) is not None})

    @asynccontextmanager
    async def follow(
        self, execution: Execution, stopping: Stopping, watch: Watch | None
    ) -> AsyncIterator[None]:
        """Follow a run while a block lasts, with another watch beside it if there is one."""
        task = asyncio.create_task(self._follow(execution, stopping))
        try:
            async with AsyncExitStack() as stack:
                if watch is not None:
                    await stack.enter_async_context(watch(execution, stopping))
                yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            if stopping():
                self._stopping(execution)
            _write_fresh(self.folder / PROGRESS, self._look(execution, tell=True))

    async def _follow(self, execution: Execution, stopping: Stopping) -> None:
        looked, told = float("-inf"), time.monotonic()
        while True:
            if stopping():
                self._stopping(execution)
            now = time.monotonic()
            if now - looked >= FRESH_SECONDS:
                due = now - told >= EVENT_SECONDS
                looked, told = now, now if due else told
                view = self._look(execution, tell=due)
                await asyncio.to_thread(_write_fresh, self.folder / PROGRESS, view)
            await asyncio.sleep(LOOK_SECONDS)

    def _stopping(self, execution: Execution) -> None:
        """Tell once that the run stops, and why."""
        if ("stopping",) not in self._told:
            self._told.add(("stopping",))
            self.tell("stopping", cause=execution.halt.cause, message=execution.halt.message)

    def _look(self, execution: Execution, *, tell: bool = False) -> dict[str, Any]:
        """Where the run stands; tells which steps are done since the last look."""
        view = self._meter.look(execution)
        for step in view.steps:
            if step.ended and ("step", step.name) not in self._told:
                self._tell_step(execution, step.name)
        for alarm in view.alarms:
            if ("alarm", alarm) not in self._told:
                self._told.add(("alarm", alarm))
                self.tell("warning", code=CODE, message=alarm, place=None)
        self.notes |= {m.name: m.note for m in view.models if m.note}
        value = view.to_json()
        if tell:
            self.tell("progress", **{k: v for k, v in value.items() if k not in ("run", "time")})
        return value

    def _tell_step(self, execution: Execution, name: str) -> None:
        self._told.add(("step", name))
        assert execution.pipeline is not None
        account = execution.pipeline.accounts[name]
        self.tell("step", step={"name": name, **account.to_json()})

    def watching(self, watch: Watch | None) -> Watch:
        """The watch of `supervise`: this journal, and another watch beside it if there is one."""
        return lambda execution, stopping: self.follow(execution, stopping, watch)

    def end(self, status: str, problem: str = "", record: Mapping[str, Any] | None = None) -> None:
        """Tell how it ended, and close.

        Args:
            status: done, paused or failed.
            problem: What ended it before it was done.
            record: Of the run, if it has come to one.
        """
        record = record or {}
        for name, account in record.get("steps", {}).items() if status == "done" else ():
            if ("step", name) not in self._told:
                self.tell("step", step={"name": name, **account})
        for found in record.get("warnings") or ():
            self.tell("warning", code=found["code"], message=found["message"], place=None)
        output = record.get("output", {})
        self.tell(
            "end",
            status=status,
            problem=problem or None,
            seconds=record.get("seconds"),
            rows=output.get("rows"),
            errors=record.get("errors", 0),
            path=output.get("path"),
            go_on=None if status == "done" else self.go_on,
        )
        if self._file is not None:
            self._file.close()
            self._file = None


def begin_journal(
    folder: Path,
    plan: Plan,
    *,
    passes: int = 1,
    retry: str | None = None,
    go_on: str = "mashbill run",
    estimates: Mapping[str, Any] | None = None,
    listen: Listener | None = None,
) -> Journal:
    """Begin the journal of a run.

    Args:
        folder: Of the run.
        plan: What it executes.
        passes: How often ladders are gone down.
        retry: What `run --retry` was given.
        go_on: What to type to go on.
        estimates: What the plan expected.
        listen: Told every event.
    """
    journal = Journal(folder, listen, go_on)
    begun = {
        "recipe": str(plan.recipe["name"]),
        "plan": plan.digest,
        "passes": passes,
        "retry": retry,
        "go_on": go_on,
    }
    _write_fresh(folder / BEGUN, {**begun, "started": time.time(), "estimates": estimates})
    with suppress(OSError):
        journal._file = (folder / EVENTS).open("ab", buffering=0)
        fcntl.flock(journal._file, fcntl.LOCK_EX)
    journal.tell("start", **begun, estimates=estimates)
    return journal


def is_alive(folder: Path) -> bool:
    """Whether the process of a run still works on it, by the locks that die with it."""
    return any(_locked(folder / name) for name in (EVENTS, "spool/.lock"))


def _locked(path: Path) -> bool:
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: another onlooker is no process
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks: the spool's presence has to do
        return path.name != EVENTS
    finally:
        os.close(file)
    return False


def _write_fresh(path: Path, value: Any) -> None:
    """Write a JSON file so that a reader sees all of it, or the one before, if the disk takes it.

    It is not synced: what it says is stale when power comes back anyway.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with suppress(OSError):
        draft.write_text(json.dumps(value, ensure_ascii=False, default=str) + "\n", "utf-8")
        draft.replace(path)
