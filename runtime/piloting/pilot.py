"""A pilot: real rows through the whole graph, so that a plan need not guess what models reply.

The rows are those that a survey looks at first, and their requests are kept in the ledger under
the keys that a run looks up: the next plan knows them, and the run pays for none of them again.
They go through the pipeline of a run, so that engines are kept as busy as there; what comes out of
it is thrown away.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from math import ceil
from typing import TYPE_CHECKING, Any

import polars as pl

from ...compiler.budgets import FREE, OWN_HARDWARE
from ..budget import Breakers, open_purse
from ..budget.amounts import PICO
from ..budget.carried import carried, new_pilot
from ..catalog import load_catalog
from ..counting import counter_of
from ..engine_room import room_of
from ..execute import COMMIT_SECONDS, close
from ..execution import Execution
from ..faults import RunError, said
from ..interrupts import interruptible, run_async
from ..ledger import Ledger, LedgerError
from ..pipeline import Pipeline
from ..requests import EngineError
from ..rows import ORDER
from ..supervise import supervise
from ..surveying.candidates import Candidates, candidates
from .pace import Pace
from .pilot_log import note_pilot
from .piloted import Asked, Pilot, asked_of, line_of

if TYPE_CHECKING:
    from ...compiler.plan import Plan, PlanNode
    from ..account import Account
    from ..counting import Count
    from ..progress.journal import Watch
    from ..project import Project

__all__ = ["Asked", "Pilot", "pilot"]

TRIED = 20
"""Documents that are tried for each that is to reach a model, where checks stand before it."""


def pilot(
    plan: Plan,
    project: Project,
    n: int,
    *,
    watch: Watch | None = None,
    passes: int = 1,
    limit_usd: float | None = None,
) -> Pilot:
    """Send documents through a plan, until `n` have reached each step that is the first to ask.

    It stays under the caps of the budget. What earlier runs have spent of them is gone, and what it
    spends itself is gone for the runs to come.

    Args:
        plan: Pinned: its models have digests.
        project: Where it runs.
        n: How many documents.
        watch: Shows how it goes; as `run_plan` takes it.
        passes: As a run would.
        limit_usd: The most that it may cost, whatever the budget says.

    Raises:
        RunError: A model does not answer, the disk does not, or it was interrupted; what was paid
            for is in the ledger.
        MisfitError: A step does not fit the data.
    """
    started = time.time()
    room = room_of(plan, project)
    try:
        for name in sorted({m for n in plan.nodes for m in n.asked}):
            room.info(name)
        found = candidates(plan, project, counter_of(plan, room))
        folder = new_pilot(project.state)
        with ExitStack() as stack:
            stack.enter_context(interruptible())
            ledger = stack.enter_context(
                Ledger.open(project.state / "ledger", window=COMMIT_SECONDS)
            )
            purse = open_purse(_capped(plan, project, limit_usd), folder, project.state)
            stack.callback(close, purse)
            execution = _Piloting(
                plan, project, folder, folder.path, room, ledger, passes=passes, purse=purse
            )
            execution.found, execution.wanted = found, n
            run_async(supervise(execution, watch))
    except EngineError as error:
        raise RunError(str(error), diagnostic="M251") from error
    except LedgerError as error:
        raise RunError(str(error)) from error
    except OSError as error:
        raise RunError(said(error)) from error
    made = Pilot(
        len(execution.taken),
        {step: len(orders) for step, orders in execution.reached.items()},
        asked_of(execution, execution.pace),
        sum(w.stats.reused for w in execution.windows.values()),
        time.time() - started,
        execution.halt.message if execution.halt.called else "",
    )
    if made.sent:
        with suppress(OSError):  # it is only a note
            note_pilot(project.state, line_of(plan, n, made, started))
    return made


def _capped(plan: Plan, project: Project, usd: float | None) -> Plan:
    """The plan with the smaller of its cap and that of the pilot."""
    if usd is None:
        return plan
    if unpriced := sorted(m for n in plan.nodes for m in n.asked if not _has_price(plan, m)):
        raise RunError(
            f"a limit in dollars needs the price of `{unpriced[0]}`: write `price:` in the recipe"
        )
    budget = dict(plan.budget or {})
    before = carried(project.state, str(plan.recipe["name"]), "").spent.get("budget.usd", 0)
    most = usd + before / PICO
    own = budget.get("usd")
    return replace(plan, budget={**budget, "usd": most if own is None else min(own, most)})


def _has_price(plan: Plan, name: str) -> bool:
    """Whether what a model costs is known; one on this machine costs nothing."""
    model = plan.models[name]
    hourly = model["engine"] in OWN_HARDWARE and (plan.hardware or {}).get("usd_per_gpu_hour")
    return bool(model.get("price") or model["engine"] in FREE or hourly)


@dataclass(slots=True)
class _Rows(Pipeline):
    """A pipeline whose sources are some rows of theirs."""

    given: Mapping[str, pl.DataFrame] = field(default_factory=dict)

    def _scan(self, node: PlanNode, account: Account) -> Iterator[pl.DataFrame]:
        yield self.given[node.name]


@dataclass(slots=True)
class _Piloting(Execution):
    """A pilot under way."""

    found: Candidates = field(default_factory=lambda: Candidates({}, {}))
    wanted: int = 0
    taken: set[int] = field(default_factory=set)
    reached: dict[str, set[int]] = field(default_factory=dict)
    """By first step that asks, the `_order`s of documents that it was done with."""
    pace: Pace = field(default_factory=Pace)

    async def work(self) -> None:
        """Send documents, and more where too few have reached a model."""
        self.reached = {step: set() for step in self.found.queues}
        count = counter_of(self.plan, self.room)
        while not self.halt.called and (orders := self._next()):
            self.taken |= orders
            self.pipeline = self._pipeline(orders, count)
            await self.pipeline.run({})

    def _next(self) -> set[int]:
        """Documents to send: as many as will do, by how many of those before got through."""
        chosen: set[int] = set()
        for step, orders in self.found.queues.items():
            lacking = self.wanted - len(self.reached[step])
            waiting = [o for o in orders if o not in self.taken]
            sent = len(orders) - len(waiting)
            if lacking <= 0 or sent >= TRIED * self.wanted:
                continue
            through = max(len(self.reached[step]) / sent, 1 / TRIED) if sent else 1.0
            chosen.update(waiting[: ceil(lacking / through)])
        return chosen

    def _pipeline(self, orders: set[int], count: Count | None) -> _Rows:
        asking = [n.name for n in self.plan.nodes if n.asked]
        return _Rows(
            self.plan,
            load_catalog(),
            {},
            lambda node: self.tools(node, self.pace.beside),
            self._observe,
            self.unreadable,
            count,
            self.halt,
            Breakers.of(self.plan.budget, asking),
            given={name: self.found.chosen(name, orders) for name in self.found.rows},
        )

    def _observe(self, step: str, row: Mapping[str, Any], outcomes: Any) -> None:
        if step in self.reached and row.get(ORDER) is not None:
            self.reached[step].add(int(row[ORDER]))
        self.observe(step, row, outcomes)
