"""A run under way: its windows, its pool of check workers, its stages, and what they keep aside."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from ..compiler.plan import Plan, PlanNode
from .budget import Breakers, NoPurse, Purse
from .catalog import load_catalog
from .checkpool import CheckPool
from .counting import counter_of
from .engine_room import EngineRoom, engine_module
from .engines.base import Tokens
from .examples import Examples
from .halt import Halt
from .ledger import Ledger
from .output import output_of
from .parts import part_renderer
from .pipeline import Pipeline
from .progress import Journal
from .project import Project
from .runs import RunFolder
from .sources.jsonl import SourceSpec, Unreadable
from .sources.locate import locate
from .spool import Spool
from .tally import Tallies, tallied
from .toolbox import tools_of
from .tools import Line, Tools
from .window import Window

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
    halt: Halt = field(default_factory=Halt)
    purse: Purse | NoPurse = field(default_factory=NoPurse)
    windows: dict[str, Window] = field(default_factory=dict)
    pool: CheckPool = field(default_factory=CheckPool)
    examples: Examples = field(default_factory=Examples)
    spools: dict[tuple[str, str], Spool] = field(default_factory=dict)
    pipeline: Pipeline | None = None
    started: float = field(default_factory=time.time)
    errors: int = 0
    tallies: dict[str, Tallies] = field(default_factory=dict)
    """What the checks of each step found."""
    estimates: Mapping[str, Any] | None = None
    passes: int = 1
    journal: Journal | None = None
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def tools(self, node: PlanNode, beside: Callable[[str, Line], Line] | None = None) -> Tools:
        """The tools of a model step or check; `beside` may listen on its lines to models."""

        def line(model: str) -> Line:
            found = self._line(model, node.name)
            return beside(model, found) if beside else found

        made = tools_of(node, line, self.pool.judge, self.passes)
        found = self.tallies.setdefault(node.name, {})
        return replace(made, judge=tallied(made.judge, found))

    def _line(self, name: str, step: str) -> Line:
        """A model, asked on behalf of a step."""
        if name not in self.windows:
            spec = self.room.spec(name)
            self.windows[name] = Window(
                spec,
                self.room.info(name),
                self.ledger,
                engine_module(spec.engine).open_engine,
                int(self.plan.recipe["seed"]),
                self.replay,
                self.halt,
                self.purse,
            )
        ask = partial(self.windows[name].ask, step=step)
        return Line(ask, self.room.tokens(name), self.room.info(name).context)

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
            if self.journal is not None:
                self.journal.error(error)
            if self.errors <= ERRORS_KEPT:
                with (self.folder.path / "errors.jsonl").open("ab") as out:
                    out.write(orjson.dumps(error, default=str) + b"\n")

    async def work(self) -> None:
        """Run the stages to their end."""
        counter = mix_tokens(self.plan, self.room)
        columns = output_of(self.plan, self.project).columns
        for edge in self.plan.outputs:
            folder = self.spool / ".".join(filter(None, edge))
            render = part_renderer(self.plan, ".".join(filter(None, edge)), counter)
            seed = int(self.plan.recipe["seed"])
            self.spools[edge] = Spool(folder, columns, seed, counter, render)
        self.pipeline = Pipeline(
            self.plan,
            load_catalog(),
            source_specs(self.plan, self.project),
            self.tools,
            self.observe,
            self.unreadable,
            counter_of(self.plan, self.room),
            self.halt,
            Breakers.of(self.plan.budget, [n.name for n in self.plan.nodes if n.asked]),
        )
        await self.pipeline.run(self.spools)

    def parts(self) -> dict[str, Spool]:
        """The spools by the names of the mix's parts."""
        return {".".join(filter(None, edge)): spool for edge, spool in self.spools.items()}

    @property
    def cut(self) -> bool:
        """Whether rows wait for another run."""
        accounts = self.pipeline.accounts.values() if self.pipeline else ()
        return self.halt.unread or any(a.pending for a in accounts)

    async def close(self) -> None:
        """Free engines and workers."""
        await asyncio.gather(*(w.close() for w in self.windows.values()), self.pool.close())


def source_specs(plan: Plan, project: Project) -> dict[str, SourceSpec]:
    """Sources with their files. Raises `OSError`, `OutsideError`."""
    wanted = {
        c for n in plan.nodes for c in (*n.definition.get("reads", ()), *plan.output["columns"])
    }.union(*(r["reads"] for r in plan.renders.values()))
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
