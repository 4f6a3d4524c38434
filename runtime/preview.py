"""A few real rows through the whole graph: asked as a run asks, so that it pays for none of them.

No mix is drawn and no output written. What is paid for goes to the ledger under the keys that a
run looks up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ..compiler.plan import Plan, PlanNode
from .budget import open_purse
from .budget.carried import new_pilot
from .counting import counter_of
from .engine_room import room_of
from .execute import close
from .execution import Execution
from .faults import RunError, said
from .interrupts import interruptible, run_async
from .ledger import Ledger
from .preview_json import row_json
from .preview_rows import Candidates, candidates
from .progress.journal import Watch
from .project import Project
from .runs import RunFolder
from .tools import Tools
from .tracing import Trace
from .witness import Shown, Witness

TRIED = 20
"""Documents that are tried for each that is to be shown, where checks stand before a model."""
FOLDER = "preview"
"""Where the page goes, in the project's state."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a preview found.

    Attributes:
        plan: The plan.
        steps: The steps that were asked for; None for all.
        rows: The documents.
        sent: Calls that were paid for.
        reused: Calls that the ledger answered.
        sampled: Sources of which only a sample was read.
    """

    plan: Plan
    steps: frozenset[str] | None
    rows: tuple[Shown, ...]
    sent: int
    reused: int
    sampled: tuple[str, ...]

    def _repr_html_(self) -> str:
        from .preview_page import page

        return page(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """As plain data: what text, page and `--format json` are made of."""
        rows = [row_json(row, self.plan, self.steps) for row in self.rows]
        prices = [r["usd"] for r in rows]
        return {
            "recipe": str(self.plan.recipe["name"]),
            "rows": rows,
            "calls": self.sent,
            "reused": self.reused,
            "prompt_tokens": sum(r["prompt_tokens"] for r in rows),
            "completion_tokens": sum(r["completion_tokens"] for r in rows),
            "usd": sum(prices) if prices and None not in prices else None,
            "sampled": list(self.sampled),
        }


def preview(
    plan: Plan,
    project: Project,
    *,
    n: int = 5,
    steps: Iterable[str] | None = None,
    passes: int = 1,
    watch: Watch | None = None,
) -> Preview:
    """Send `n` documents through a plan.

    Args:
        plan: Pinned: its models have digests.
        project: Where it runs.
        n: How many documents.
        steps: Names of the steps to show; what they are made from runs too. None for all.
        passes: As a run would.
        watch: Shows how it goes; as `run_plan` takes it.

    Raises:
        RunError: A model does not answer, or the disk does not.
    """
    shown = None if steps is None else frozenset(steps)
    reached = None if shown is None else _upstream(plan, shown)
    room = room_of(plan, project)
    folder = project.state / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        count = counter_of(plan, room)
        found = candidates(plan, project, count, reached)
        with ExitStack() as stack:
            stack.enter_context(interruptible())
            ledger = stack.enter_context(Ledger.open(project.state / "ledger"))
            # A run pays for none of its calls again, so they count for the caps as a pilot's do.
            spending = new_pilot(project.state)
            stack.callback(_drop_empty, spending)
            purse = open_purse(plan, spending, project.state)
            stack.callback(close, purse)
            execution = Execution(
                plan, project, RunFolder(folder), folder, room, ledger, passes=passes, purse=purse
            )
            rows = run_async(_watched(execution, watch, _show(execution, found, n, reached)))
    except OSError as error:
        raise RunError(said(error)) from error
    stats = [w.stats for w in execution.windows.values()]
    sent, reused = sum(s.sent - s.retried for s in stats), sum(s.reused for s in stats)
    return Preview(plan, shown, tuple(rows), sent, reused, found.sampled)


def _drop_empty(folder: RunFolder) -> None:
    """Leave no folder where nothing is capped and so nothing was noted."""
    with suppress(OSError):
        folder.path.rmdir()


def _upstream(plan: Plan, names: frozenset[str]) -> frozenset[str]:
    """The steps, and all that they are made from."""
    wanted = {plan.aliases.get(n, n) for n in names}
    for node in reversed(plan.nodes):
        if node.name in wanted:
            wanted |= {name for name, _ in node.inputs}
    return frozenset(wanted)


async def _watched(
    execution: Execution, watch: Watch | None, work: Coroutine[Any, Any, list[Shown]]
) -> list[Shown]:
    if watch is None:
        return await work
    async with watch(execution, lambda: execution.halt.called):
        return await work


async def _show(
    execution: Execution, found: Candidates, n: int, steps: frozenset[str] | None
) -> list[Shown]:
    """Trace documents in their order, as many at a time as are still to be shown."""
    modelled = any(x.asked and (steps is None or x.name in steps) for x in execution.plan.nodes)
    waiting = iter(found.docs[: n * TRIED])
    rows: list[Shown] = []
    try:
        while len(rows) < n and (batch := list(islice(waiting, n - len(rows)))):
            made = await asyncio.gather(
                *(_trace(execution, found, source, doc, steps) for source, doc in batch)
            )
            rows += [r for r in made if r.asked or not modelled]
            if execution.halt.called:
                raise RunError(execution.halt.message)
    finally:
        await execution.close()
    return rows


async def _trace(
    execution: Execution, found: Candidates, source: str, doc: str, steps: frozenset[str] | None
) -> Shown:
    witnesses: dict[tuple[str, str], Witness] = {}

    def tools(node: PlanNode, row: Mapping[str, Any]) -> Tools:
        witness = witnesses.setdefault((node.name, str(row["_id"])), Witness())
        return witness.watching(execution.tools(node, witness.beside))

    count = counter_of(execution.plan, execution.room)
    frame = found.rows(source, doc)
    stops = await Trace(execution.plan, tools, count, steps).walk(source, frame)
    return Shown(doc, source, frame.rows(named=True)[0], stops, witnesses)
