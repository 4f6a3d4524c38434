"""One execution of a plan: preflight, stages, mix, shards, record."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import Any

from ..compiler.plan import Plan
from ..compiler.world import OutsideError
from .budget import NoPurse, Purse, open_purse
from .budget.report import report
from .collector import collecting_seldom
from .dataset import choose, write_shards
from .engine_room import room_of
from .execution import Execution
from .faults import PausedError, RunError, said
from .history import remember
from .holding import held, sweep
from .interrupts import interruptible, run_async
from .ledger import NOTES, Ledger, LedgerError
from .mixing import Selection
from .output import OutputError, output_of
from .planning.partway import early, ending, unfinished, whole
from .preflight import Answer
from .preflight.spent import charge
from .progress import begin_journal
from .project import Project
from .record import make_record
from .requests import EngineError
from .runs import IDENTITY, new_run
from .sandbox.wanted import NoSandboxError, refuse_weak
from .supervise import supervise

__all__ = ["Execution", "RunError", "run_async", "run_plan", "said"]

COMMIT_SECONDS = 0.002
"""How long a reply may wait for others to be committed with; its slot stays taken as long."""


def close(purse: Purse | NoPurse) -> None:
    """Note what was spent; where the disk is full, what was noted ahead stands, which is more."""
    with suppress(OSError):
        purse.close()


def _remember(plan: Plan, project: Project, record: Mapping[str, Any]) -> None:
    """Note what the next estimate may learn; a disk that is full must not end a run for it."""
    with suppress(OSError):
        remember(plan, project.state, record)


def run_plan(
    plan: Plan,
    project: Project,
    *,
    estimates: Mapping[str, Any] | None = None,
    meaning: Mapping[str, Any] | None = None,
    replay: bool = False,
    replace: bool = False,
    passes: int = 1,
    retry: str | None = None,
    go_on: str = "mashbill run",
    watch: Any = None,
    events: Any = None,
    probed: Sequence[Answer] = (),
) -> dict[str, Any]:
    """Execute a plan.

    Args:
        plan: Pinned: its models have digests.
        project: Where it runs.
        estimates: What was estimated, for the record.
        meaning: The canonical hash input of every step, for the next `plan` and for `why`.
        replay: Take every completion from the ledger; start no engine.
        replace: Overwrite the data set of another plan.
        passes: How often ladders are gone down before a row is given up.
        retry: What `run --retry` was given.
        go_on: What to type to go on, should it not come to its end.
        watch: Called with the execution; gives an async context manager that shows progress.
        events: Called with each event of `progress/events.py`.
        probed: What models replied to the preflight, to be charged to the budget.

    Returns:
        The run record.

    Raises:
        RunError: With the exit code; whatever was paid for is in the ledger.
    """
    try:
        output = output_of(plan, project)
        until = early(plan.recipe)
        if not until:  # one that ends early leaves what stands there alone
            output.refuse_foreign(plan.digest, replace)
        room = room_of(plan, project)
        for name in sorted({m for n in plan.nodes for m in n.asked}):
            room.info(name)
        refuse_weak(plan)
        folder = new_run(project.state)
        (folder.path / NOTES).touch()  # a run without was made before runs noted what they use
        folder.write("plan.json", plan.to_json())
        if meaning is not None:
            folder.write(IDENTITY, meaning)
    except OutputError as error:
        raise RunError(str(error), diagnostic="O801") from error
    except EngineError as error:
        raise RunError(str(error), diagnostic="M251") from error
    except NoSandboxError as error:
        raise RunError(str(error), diagnostic="V403") from error
    except OutsideError as error:
        raise RunError(str(error), diagnostic="R112") from error
    except OSError as error:
        raise RunError(said(error)) from error
    journal = begin_journal(
        folder.path,
        plan,
        passes=passes,
        retry=retry,
        go_on=go_on,
        estimates=estimates,
        listen=events,
    )
    execution: Execution | None = None

    def record(status: str, selection: Selection | None = None, problem: str | None = None) -> Any:
        assert execution is not None
        made = make_record(execution, status, estimates, selection, problem)
        return {**made, "budget": report(execution.purse)}

    try:
        with ExitStack() as stack:
            stack.enter_context(interruptible())
            stack.enter_context(collecting_seldom())
            sweep(project.state.glob("runs/*/spool"))
            # The output comes first: a folder that cannot be written is found before anything is
            # paid.
            staging = stack.enter_context(output.staging(folder.id))
            spool = stack.enter_context(held(folder.path / "spool"))
            ledger = stack.enter_context(
                Ledger.open(
                    project.state / "ledger", window=COMMIT_SECONDS, notes=folder.path / NOTES
                )
            )
            purse = NoPurse() if replay else open_purse(plan, folder, project.state)
            stack.callback(close, purse)
            if probed:
                run_async(charge(purse, probed))
            execution = Execution(
                plan,
                project,
                folder,
                spool,
                room,
                ledger,
                replay,
                purse=purse,
                estimates=estimates,
                passes=passes,
                journal=journal,
            )
            run_async(supervise(execution, journal.watching(watch)))
            # A cap may be met just when all is done.
            partial = execution.halt.called and execution.cut
            if until:
                why = execution.halt.message if partial else ending(until)
                kept = unfinished(record("paused" if partial else "done", None, why))
                folder.write("record.json", kept)
                _remember(plan, project, kept)
                more = execution.halt.more if partial else ""
                journal.go_on = f"{go_on} {more}".strip() if partial else whole(go_on)
                journal.end("paused", why, kept)
                if partial:
                    raise PausedError(why, kept, more)
                return kept
            selection = choose(execution, partial=partial)
            made: dict[str, Any] = record("paused" if partial else "done", selection)
            write_shards(execution, output, staging, selection, made)
            if partial:
                made["output"]["path"] = os.path.relpath(output.partial.path, project.root)
                output.partial.finish(staging, plan, made, project, replacing=True)
                folder.write("record.json", made)
                _remember(plan, project, made)
                halt = execution.halt
                journal.go_on = f"{go_on} {halt.more}".strip()
                journal.end("paused", halt.message, made)
                raise PausedError(halt.message, made, halt.more)
            output.finish(staging, plan, made, project, replace)
            folder.write("record.json", made)
            _remember(plan, project, made)
            journal.end("done", record=made)
            output.partial.discard()
            return made
    except PausedError:
        raise
    except KeyboardInterrupt:
        problem = RunError("paused", status="paused", code=130)
    except RunError as error:
        problem = error
    except OutputError as error:
        problem = RunError(str(error), diagnostic="O801")
    except LedgerError as error:
        problem = RunError(str(error))
    except OSError as error:
        problem = RunError(said(error))
    last = record(problem.status, None, str(problem)) if execution is not None else None
    if last is not None:
        with suppress(OSError):
            folder.write("record.json", last)
        if problem.status == "paused":
            _remember(plan, project, last)
    journal.end(problem.status, str(problem), last)
    raise problem
