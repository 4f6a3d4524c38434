"""Progress of a run: a live table on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

from ..compiler.quantities import show_count

if TYPE_CHECKING:
    from rich.table import Table

    from .execute import Execution

LIVE_SECONDS = 0.25
LINE_SECONDS = 15.0
Stopping = Callable[[], bool]


def watcher(stream: TextIO) -> Callable[[Execution, Stopping], Any]:
    """The watch of `run_plan`, writing to a stream."""

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


def rows_of(execution: Execution) -> list[tuple[str, str, str, str, str]]:
    """Step, rows in → out, units, rejects by reason and errors of each step, as text."""
    if execution.pipeline is None:
        return []
    rows = []
    for name, account in execution.pipeline.accounts.items():
        units = account.units
        asked = sum(v for k, v in units.items() if k != "kept")
        done = f"{units['accepted']:,} of {asked:,} chunks accepted" if asked else ""
        reasons = account.rejected or account.failures
        why = ", ".join(f"{k} {v:,}" for k, v in reasons.most_common(3))
        errors = f"errors {account.errors.total():,}" if account.errors.total() else ""
        rows.append((name, f"{account.rows_in:,} → {account.out:,}", done, why, errors))
    return rows


def rates(execution: Execution) -> str:
    """Calls, tokens and tokens a second so far, over all models."""
    stats = [w.stats for w in execution.windows.values()]
    if not stats:
        return ""
    sent, reused = sum(s.sent for s in stats), sum(s.reused for s in stats)
    tokens = sum(s.completion_tokens for s in stats)
    started = min((s.busy_since for s in stats if s.busy_since), default=None)
    busy = time.monotonic() - started if started else 0.0
    speed = f"   {tokens / busy:,.0f} tok/s" if busy > 1 and tokens else ""
    flying = sum(w.in_flight for w in execution.windows.values())
    return (
        f"calls {sent:,}   from the ledger {reused:,}   tokens out {show_count(tokens)}{speed}"
        f"   in flight {flying}"
    )


async def _live(execution: Execution, stopping: Stopping, stream: TextIO) -> None:
    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

    console = Console(file=stream)

    def picture() -> Group:
        note = "Stopping: what is in flight finishes or is dropped in 10 s …" if stopping() else ""
        return Group(_table(execution), Text(rates(execution)), Text(note, style="bold"))

    with Live(picture(), console=console, auto_refresh=False, transient=True) as live:
        while True:
            await asyncio.sleep(LIVE_SECONDS)
            live.update(picture(), refresh=True)


def _table(execution: Execution) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    for _ in range(5):
        table.add_column(overflow="fold")
    for row in rows_of(execution):
        table.add_row(*row)
    return table


async def _lines(execution: Execution, stopping: Stopping, stream: TextIO) -> None:
    said = False
    last = time.monotonic()
    while True:
        await asyncio.sleep(LIVE_SECONDS)
        if stopping() and not said:
            said = True
            stream.write("Stopping: what is in flight finishes or is dropped in 10 s …\n")
            stream.flush()
        if time.monotonic() - last >= LINE_SECONDS:
            last = time.monotonic()
            busiest = [" ".join(filter(None, r[:4])) for r in rows_of(execution) if r[2]]
            stream.write("   ".join([*busiest, rates(execution)]) + "\n")
            stream.flush()
