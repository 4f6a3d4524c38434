"""Labelled rows judged: in workers, or through the engines where a check asks models."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from ..faults import RunError, said
from ..mishaps import outcome_of
from ..verdict import Verdict
from .figures import Judged
from .labelled import Example
from .subject import Subject

if TYPE_CHECKING:
    from ..checkpool import CheckSpec
    from ..execution import Execution
    from ..tools import Judge

AT_ONCE = 256
"""Rows that are judged side by side."""

Judgements = list[tuple[Judged, ...]]
"""For each form of the check what it says of each row."""

Work = Callable[["Judge"], Coroutine[Any, Any, Judgements]]


async def judge_all(
    judge: Judge, spec: CheckSpec, examples: Sequence[Example], count: Callable[[], None]
) -> tuple[Judged, ...]:
    """What a check says of each row; what it could not judge is told apart.

    Args:
        judge: Runs it.
        spec: The check.
        examples: The rows.
        count: Called when a row is judged.

    Raises:
        BaseExceptionGroup: Of what ends all: a cap, a disk.
    """
    room = asyncio.Semaphore(AT_ONCE)

    async def one(example: Example) -> Judged:
        async with room:
            try:
                verdicts = await judge((spec,), example.row)
            except Exception as error:
                outcome = outcome_of(example.row, error)
                if outcome.end == "pending":
                    raise RunError("paused before all rows were judged", code=5) from None
                told = str(outcome.evidence.get("message") or outcome.reason)
                return Judged(example, None, told, {})
            finally:
                count()
        verdict: Verdict = verdicts[-1]
        reason = "" if verdict.passed else verdict.reason or spec.name
        return Judged(example, verdict.passed, reason, verdict.evidence)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(example)) for example in examples]
    return tuple(task.result() for task in tasks)


def in_workers(work: Work, workers: int | None) -> Judgements:
    """Judge in processes of their own, one for each core unless told otherwise."""
    from ..checkpool import CheckPool
    from ..interrupts import run_async

    async def go() -> Judgements:
        pool = CheckPool(workers if workers is not None else os.cpu_count() or 1)
        try:
            return await work(pool.judge)
        finally:
            await pool.close()

    try:
        return run_async(go())
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


def through_engines(subject: Subject, work: Work) -> tuple[Judgements, int, int]:
    """Judge as a run does: through windows, ledger and the budget of the recipe.

    Returns:
        What is judged, calls that were paid for, and calls that the ledger answered.

    Raises:
        RunError: A model does not answer, a cap is reached, or the disk fails.
    """
    from ..budget import Purse, open_purse
    from ..counting import counter_of
    from ..engine_room import room_of
    from ..execution import Execution
    from ..interrupts import interruptible, run_async
    from ..ledger import Ledger
    from ..runs import RunFolder

    assert subject.plan is not None and subject.node is not None
    plan, node = subject.plan, subject.node
    if plan.missing and (lost := [plan.missing[m] for m in subject.asks if m in plan.missing]):
        raise RunError("; ".join(lost), diagnostic="M251")
    project = plan.recipe.project
    folder = project.state / "calibration"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        room = room_of(plan.record, project)
        count = counter_of(plan.record, room) if "tokens" in node.definition else None
        with interruptible(), Ledger.open(project.state / "ledger") as ledger:
            # It stays under the caps of its data set; its calls are none of the data set's.
            purse = open_purse(plan.record, RunFolder(folder), project.state)
            if isinstance(purse, Purse):
                purse.save = None
            execution = Execution(
                plan.record, project, RunFolder(folder), folder, room, ledger, purse=purse
            )
            found = run_async(_asked(execution, subject, work, count))
    except OSError as error:
        raise RunError(said(error)) from error
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
    stats = [w.stats for w in execution.windows.values()]
    return found, sum(s.sent - s.retried for s in stats), sum(s.reused for s in stats)


async def _asked(execution: Execution, subject: Subject, work: Work, count: Any) -> Judgements:
    from ..counting import counting

    assert subject.node is not None
    try:
        judge = execution.tools(subject.node).judge
        try:
            return await work(counting(judge, count) if count else judge)
        except BaseExceptionGroup:
            if execution.halt.called:
                raise RunError(execution.halt.message, status="paused", code=5) from None
            raise
    finally:
        await execution.close()
