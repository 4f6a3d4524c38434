"""One execution of a plan: preflight, stages, mix, shards, record."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from ..compiler.plan import Plan, PlanNode
from ..compiler.world import OutsideError
from .catalog import load_catalog
from .checkpool import CheckPool
from .counting import counter_of
from .engine_room import EngineRoom, engine_module, room_of
from .engines.base import Tokens
from .examples import Examples
from .faults import RunError, said
from .holding import held, sweep
from .interrupts import handled, interruptible, run_async
from .ledger import NOTES, Ledger, LedgerError
from .mixing import PART, Selection, rows_in_order, select
from .output import Output, OutputError, output_of
from .pipeline import Pipeline
from .project import Project
from .record import make_record
from .requests import EngineError
from .rows import ORDER
from .runs import IDENTITY, RunFolder, new_run
from .schemas import join_schemas
from .shards import ShardWriter
from .sources.jsonl import SourceSpec, Unreadable
from .sources.locate import locate
from .splits import splits_of
from .spool import Spool, in_order
from .tools import Tools, no_model
from .window import EngineDownError, MissingError, Window

__all__ = ["Execution", "RunError", "run_async", "run_plan", "said"]

COMMIT_SECONDS = 0.002
"""How long a reply may wait for others to be committed with; its slot stays taken as long."""
DRAIN_SECONDS = 10.0
ERRORS_KEPT = 10_000


@dataclass(slots=True)
class Execution:
    """A run under way; `progress` reads it."""

    plan: Plan
    project: Project
    folder: RunFolder
    spool: Path
    room: EngineRoom
    ledger: Ledger
    replay: bool = False
    windows: dict[str, Window] = field(default_factory=dict)
    pool: CheckPool = field(default_factory=CheckPool)
    examples: Examples = field(default_factory=Examples)
    spools: dict[tuple[str, str], Spool] = field(default_factory=dict)
    pipeline: Pipeline | None = None
    started: float = field(default_factory=time.time)
    errors: int = 0
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def tools(self, node: PlanNode) -> Tools:
        """The tools of a model step or check."""
        if node.model is None:
            return no_model(self.pool.judge, node.rule)
        name = node.model
        if name not in self.windows:
            spec = self.room.spec(name)
            self.windows[name] = Window(
                spec,
                self.room.info(name),
                self.ledger,
                engine_module(spec.engine).open_engine,
                int(self.plan.recipe["seed"]),
                self.replay,
            )
        window, info = self.windows[name], self.room.info(name)
        return Tools(window.ask, self.pool.judge, self.room.tokens(name), node.rule, info.context)

    def observe(self, step: str, row: Mapping[str, Any], outcomes: Any) -> None:
        """Keep examples, and errors with their reasons."""
        self.examples.observe(step, row, outcomes)
        for outcome in outcomes:
            if outcome.end == "error":
                self.keep_error(
                    step=step,
                    reason=outcome.reason,
                    doc=row.get("_doc"),
                    id=row.get("_id"),
                    **outcome.evidence,
                )

    def unreadable(self, source: str, lines: tuple[Unreadable, ...]) -> None:
        """Keep lines that are no rows."""
        for line in lines:
            self.keep_error(
                step=source,
                reason="unreadable",
                file=line.file,
                line=line.line,
                message=line.reason,
                raw=line.raw.decode("utf-8", "replace"),
            )

    def keep_error(self, **error: Any) -> None:
        """Add a line to `errors.jsonl`; past 10,000 they are only counted."""
        with self._guard:  # sources are read in threads
            self.errors += 1
            if self.errors <= ERRORS_KEPT:
                with (self.folder.path / "errors.jsonl").open("ab") as out:
                    out.write(orjson.dumps(error, default=str) + b"\n")

    async def work(self) -> None:
        """Run the stages to their end."""
        counter = mix_tokens(self.plan, self.room)
        columns = output_of(self.plan, self.project).columns
        for edge in self.plan.outputs:
            folder = self.spool / ".".join(filter(None, edge))
            self.spools[edge] = Spool(folder, columns, int(self.plan.recipe["seed"]), counter)
        self.pipeline = Pipeline(
            self.plan,
            load_catalog(),
            source_specs(self.plan, self.project),
            self.tools,
            self.observe,
            self.unreadable,
            counter_of(self.plan, self.room),
        )
        await self.pipeline.run(self.spools)

    def parts(self) -> dict[str, Spool]:
        """The spools by the names of the mix's parts."""
        return {".".join(filter(None, edge)): spool for edge, spool in self.spools.items()}

    async def stop(self, seconds: float) -> None:
        """Let what is in flight finish, for some seconds; admit nothing more."""
        await asyncio.gather(*(w.drain(seconds) for w in self.windows.values()))

    async def close(self) -> None:
        """Free engines and workers."""
        await asyncio.gather(*(w.close() for w in self.windows.values()), self.pool.close())


def source_specs(plan: Plan, project: Project) -> dict[str, SourceSpec]:
    """Sources with their files. Raises `OSError`, `OutsideError`."""
    wanted = {
        c for n in plan.nodes for c in (*n.definition.get("reads", ()), *plan.output["columns"])
    }
    specs = {}
    for name, source in plan.sources.items():
        found = locate(project, source["path"], typed=source["typed"])
        specs[name] = SourceSpec(
            name,
            tuple(f.path for f in found),
            tuple(f.shown for f in found),
            source["text"],
            tuple(source["columns"].items()),
            source["key"],
            source["origin"],
            source["limit"],
            "source.text" in wanted,
            format=source.get("format"),
            delimiter=source.get("delimiter"),
            names=tuple(f.name for f in found),
        )
    return specs


def mix_tokens(plan: Plan, room: EngineRoom) -> Tokens | None:
    """What the mix counts with; None without a mix. Raises `EngineError`."""
    if plan.mix is None:
        return None
    assert plan.tokenizer is not None  # the compiler has refused it
    return room.tokens(plan.tokenizer)


def run_plan(
    plan: Plan,
    project: Project,
    *,
    estimates: Mapping[str, Any] | None = None,
    meaning: Mapping[str, Any] | None = None,
    replay: bool = False,
    replace: bool = False,
    watch: Any = None,
) -> dict[str, Any]:
    """Execute a plan.

    Args:
        plan: Pinned: its models have digests.
        project: Where it runs.
        estimates: What was estimated, for the record.
        meaning: The canonical hash input of every step, for the next `plan` and for `why`.
        replay: Take every completion from the ledger; start no engine.
        replace: Overwrite the data set of another plan.
        watch: Called with the execution; gives an async context manager that shows progress.

    Returns:
        The run record.

    Raises:
        RunError: With the exit code; whatever was paid for is in the ledger.
    """
    try:
        output = output_of(plan, project)
        output.refuse_foreign(plan.digest, replace)
        room = room_of(plan, project)
        for name in sorted({n.model for n in plan.nodes if n.model}):
            room.info(name)
        folder = new_run(project.state)
        (folder.path / NOTES).touch()  # a run without was made before runs noted what they use
        folder.write("plan.json", plan.to_json())
        if meaning is not None:
            folder.write(IDENTITY, meaning)
    except OutputError as error:
        raise RunError(str(error), diagnostic="O801") from error
    except EngineError as error:
        raise RunError(str(error), diagnostic="M251") from error
    except OutsideError as error:
        raise RunError(str(error), diagnostic="R112") from error
    except OSError as error:
        raise RunError(said(error)) from error
    execution: Execution | None = None

    def record(status: str, selection: Selection | None = None, problem: str | None = None) -> Any:
        assert execution is not None
        return make_record(execution, status, estimates, selection, problem)

    try:
        with ExitStack() as stack:
            stack.enter_context(interruptible())
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
            execution = Execution(plan, project, folder, spool, room, ledger, replay)
            run_async(_guarded(execution, watch))
            selection = _select(execution)
            made: dict[str, Any] = record("done", selection)
            _write(execution, output, staging, selection, made)
            output.finish(staging, plan, made, project, replace)
            folder.write("record.json", made)
            return made
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
    if execution is not None:
        with suppress(OSError):
            folder.write("record.json", record(problem.status, None, str(problem)))
    raise problem


async def _guarded(execution: Execution, watch: Any) -> None:
    """Work until done, or until a signal, an engine or the disk says stop."""
    loop = asyncio.get_running_loop()
    work = asyncio.ensure_future(execution.work())
    stopping: list[asyncio.Future[None]] = []

    async def pause() -> None:
        await execution.stop(DRAIN_SECONDS)
        work.cancel()

    def on_signal() -> None:
        if stopping:  # the second time: at once
            work.cancel()
        else:
            stopping.append(asyncio.ensure_future(pause()))

    try:
        with handled(loop, on_signal):
            if watch is None:
                await work
            else:
                async with watch(execution, lambda: bool(stopping)):
                    await work
            await execution.stop(DRAIN_SECONDS)  # what rows that failed have left in flight
    except asyncio.CancelledError as error:
        raise RunError("paused", status="paused", code=130) from error
    except MissingError as error:
        raise RunError(f"{error}; run without --replay to make it") from error
    except (EngineDownError, EngineError) as error:
        raise RunError(f"{error}; what was made is saved, run again to go on") from error
    finally:
        for future in stopping:
            future.cancel()
        with suppress(asyncio.CancelledError):
            await execution.close()


def _select(execution: Execution) -> Selection | None:
    plan = execution.plan
    if plan.mix is None:
        return None
    origin = {n.name: n.origin for n in plan.nodes}
    human = {name: origin[name.partition(".")[0]] == "human" for name in execution.parts()}
    selection = select(plan.mix, execution.parts(), human)
    if selection.shares.failed:
        short = "; ".join(
            f"`{name}` can supply {int(supply):,} of {int(wanted):,} tokens"
            for name, (wanted, supply) in sorted(selection.shares.short.items())
        )
        raise RunError(
            f"{short}. Lower mix.total or the weight, or set on_shortfall: shrink. "
            "All completions are saved: a new run pays for none of them again",
        )
    return selection


def _write(
    execution: Execution,
    output: Output,
    folder: Path,
    selection: Selection | None,
    record: dict[str, Any],
) -> None:
    schema = output_schema(output.columns, execution.spools.values())
    splits = splits_of(execution.plan.split, int(execution.plan.recipe["seed"]))
    writers = {
        name: ShardWriter(folder, output.format, output.shard, schema, name)
        for name in splits.names
    }
    for frame in _rows(execution, selection):
        for name, rows in splits.parts(frame):
            writers[name].write(rows)
    shards = [shard for writer in writers.values() for shard in writer.close()]
    record["output"] |= {"shards": shards, "rows": sum(s["rows"] for s in shards)}


def _rows(execution: Execution, selection: Selection | None) -> Iterator[pl.DataFrame]:
    """What leaves the graph, in the order of the data set."""
    if selection is not None:
        yield from rows_in_order(selection, execution.parts())
        return
    for spool in execution.spools.values():
        for bucket in spool.buckets():
            frames = list(spool.bucket(bucket))
            yield in_order(pl.concat(frames, how="diagonal_relaxed"), ORDER, "_id")


def output_schema(columns: Sequence[str], spools: Iterable[Spool]) -> dict[str, pl.DataType]:
    """Types of the output's columns over all that leaves the graph; text where nothing says."""
    found: dict[str, pl.DataType] = {PART: pl.String()}
    for spool in spools:
        found = join_schemas(found, spool.schema)
    kinds = {c: found.get(c, pl.String()) for c in columns}
    return {c: pl.String() if kind == pl.Null else kind for c, kind in kinds.items()}
