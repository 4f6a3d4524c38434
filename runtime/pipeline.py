"""From a plan to running stages, joined by bounded queues."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Protocol, get_args

import polars as pl

from ..compiler.draws import DRAW
from ..compiler.plan import Plan, PlanNode
from ..compiler.prompts import PromptFile, read_prompt
from ..compiler.prompts.text_template import TextTemplate
from ..compiler.registry import Catalog, Expression, Operator, Prompt, Rank, Template
from .account import Account
from .budget import Breakers
from .channels import Inbox
from .cohort import Cohort
from .counting import Count, counting
from .expressions import assign, lowered, truth
from .fused import FusedStage
from .gather import GatherStage
from .halt import Halt
from .lanes import Lanes
from .refill import FeedStage, Refill
from .rendering import load_template
from .replies import dtypes_of
from .rows import ORDER
from .sources.jsonl import SourceSpec, Unreadable, scan_partitions
from .stages import (
    Divide,
    LimitStage,
    MapStage,
    Observe,
    RowOp,
    RowStage,
    ScanStage,
    Stage,
    undivided,
)
from .tools import Tools
from .voting.holes import Holes
from .voting.numbered import Numbered

ROWS_UNDER_WAY = 512
"""Rows of one step that may be waiting for a model or a check: enough to fill any engine."""

KINDS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "str": pl.String,
    "float": pl.Float64,
    "int": pl.Int64,
    "bool": pl.Boolean,
}


class Sink(Protocol):
    """Takes the rows that leave the graph through one edge."""

    def take(self, frame: pl.DataFrame) -> None:
        """Keep a frame."""
        ...


@dataclass(slots=True)
class SinkStage:
    """Hands frames to a sink, in a thread."""

    sink: Sink
    inbox: Inbox = field(default_factory=Inbox)

    async def run(self) -> None:
        """Take frames until none come."""
        while (frame := await self.inbox.get()) is not None:
            await asyncio.to_thread(self.sink.take, frame)


@dataclass(slots=True)
class Pipeline:
    """A plan's stages, ready to run.

    Attributes:
        plan: What to run.
        catalog: Its operators.
        sources: Specs by source name.
        tools: Makes the tools of a model step or check.
        observe: Told of every row that a model or check was asked about.
        unreadable: Told of every line that is no row.
        count: What expressions count tokens with, if any does.
        halt: Tells the stages to stop early.
        breakers: Look at how rows end, and may call a halt.
    """

    plan: Plan
    catalog: Catalog
    sources: Mapping[str, SourceSpec]
    tools: Callable[[PlanNode], Tools]
    observe: Observe
    unreadable: Callable[[str, tuple[Unreadable, ...]], None]
    count: Count | None = None
    halt: Halt = field(default_factory=Halt)
    breakers: Breakers = field(default_factory=Breakers)
    accounts: dict[str, Account] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    """Steps that are through with all their rows."""
    cohorts: dict[str, Cohort] = field(default_factory=dict)
    """By step whose rows are worked on one by one: those that are done, in order."""
    _lanes: Lanes = field(init=False)
    _refills: dict[str, Refill] = field(default_factory=dict)
    _holes: Holes | None = None

    def __post_init__(self) -> None:
        self._lanes = Lanes.of(self.plan)
        if any(n.stage == "gather" for n in self.plan.nodes):
            self._holes = Holes()

    async def run(self, sinks: Mapping[tuple[str, str], Sink]) -> None:
        """Run all stages to their end.

        Raises:
            BaseException: The first fault that is not a row's own; every stage is then cancelled.
        """
        stages: dict[str, Stage] = {}
        fused: dict[str, FusedStage] = {}
        running: list[Any] = []
        names: dict[int, list[str]] = {}
        for node in self.plan.nodes:
            chain = self._stages(node)
            stages[node.name] = chain[-1]
            if keeps := node.tuning.keeps:
                chain[-1].outlets.keeps = frozenset(keeps)
            if (head := node.tuning.fused) and head != node.name:
                fused[head].steps.append(chain[-1])
                names[id(fused[head])].append(node.name)
                continue
            if head:
                fused[head] = chain[-1] = FusedStage([chain[-1]])
            names[id(chain[-1])] = [node.name]
            for first, second in pairwise(chain):
                fed = isinstance(first, FeedStage)
                first.outlets.join("", second.inbox, self._lanes.out[node.name] if fed else ())
            for upstream, port in node.inputs:
                stages[upstream].outlets.join(port, chain[0].inbox, self._heard(node, upstream))
            running.extend(chain)
        for (name, port), sink in sinks.items():
            stage = SinkStage(sink)
            stages[name].outlets.join(port, stage.inbox)
            running.append(stage)
        try:
            async with asyncio.TaskGroup() as group:
                for stage in running:
                    group.create_task(self._watched(stage, names.get(id(stage), ())))
        except BaseExceptionGroup as errors:
            raise _first(errors) from errors
        for name, account in self.accounts.items():
            account.check(name)

    async def _watched(self, stage: Stage | SinkStage, names: Iterable[str]) -> None:
        await stage.run()
        self.ended.update(names)

    def _heard(self, node: PlanNode, upstream: str) -> frozenset[int]:
        """The lanes whose marks a step takes from another."""
        hears = node.stage == "gather" or bool(self._lanes.out[node.name])
        return self._lanes.out[upstream] if hears else frozenset()

    def _refill(self, node: PlanNode) -> Refill:
        """What feeds a step."""
        assert node.tuning.fed is not None
        end, rows, candidates = node.tuning.fed
        made = Refill(self._lanes.fed[node.name], rows, candidates)
        return self._refills.setdefault(end, made)

    def _stages(self, node: PlanNode) -> list[Any]:
        account = self.accounts.setdefault(node.name, Account())
        if node.stage == "scan":
            lane = min(self._lanes.out[node.name], default=0)
            return [ScanStage(account, lambda: self._scan(node, account), self.halt, lane)]
        chain: list[Any] = []
        if node.tuning.first is not None:
            chain.append(LimitStage(node.name, node.tuning.first, account, ties=True))
        if (limit := node.definition.get("limit")) is not None:
            # A step that gathers is given all draws of a row or none.
            chain.append(LimitStage(node.name, limit, account, ties=node.stage == "gather"))
        if node.tuning.fed:
            chain.append(FeedStage(node.name, account, self._refill(node)))
        operator = self.catalog.steps[node.op]
        if node.stage == "map":
            chain.append(map_stage(_trimmed(node), operator, account, self.count))
        elif node.stage == "gather":
            stage = gather_stage(_trimmed(node), operator, account, self.count)
            scales, holes = self._lanes.scales(node), self._holes
            if holes is not None:
                stage.holes = lambda order: holes.first(order, scales)
            stage.observe, stage.refill = self.observe, self._refills.get(node.name)
            chain.append(stage)
        else:
            op: RowOp = build_row_op(node, operator, self.tools(node), self.count)
            before, after = assignments(_trimmed(node), self.count)
            chain.append(
                RowStage(
                    node.name,
                    account,
                    op,
                    _made(node, operator),
                    ROWS_UNDER_WAY,
                    self.observe,
                    before,
                    after,
                    divided(node, self.count),
                    node.tuning.prefix,
                    self.halt,
                    self.breakers,
                    self._holes,
                    self.cohorts.setdefault(node.name, Cohort(node.model)),
                )
            )
        return chain

    def _scan(self, node: PlanNode, account: Account) -> Iterator[pl.DataFrame]:
        name, keeps = node.name, node.tuning.keeps
        spec = replace(self.sources[name], carried=None if keeps is None else frozenset(keeps))
        place = [n.name for n in self.plan.nodes if n.stage == "scan"].index(name)
        for number, partition in enumerate(scan_partitions(spec)):
            bad = len(partition.unreadable)
            if bad:
                account.rows_in += bad
                account.errors["unreadable"] += bad
                self.unreadable(name, partition.unreadable)
            first = (place << 56) | (number << 24)
            frame = partition.frame
            yield frame.with_columns(
                (pl.lit(first, pl.Int64) + pl.int_range(frame.height, dtype=pl.Int64)).alias(ORDER)
            )


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = errors.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


def _trimmed(node: PlanNode) -> PlanNode:
    """A step without the columns of its `set:` that nobody reads."""
    if not (skips := node.tuning.skips):
        return node
    sets = {
        key: {c: v for c, v in (node.definition.get(key) or {}).items() if c not in skips}
        for key in ("set", "set_after")
    }
    return replace(node, definition={**node.definition, **sets})


def assignments(
    node: PlanNode, count: Count | None = None
) -> tuple[Callable[[pl.DataFrame], pl.DataFrame], ...]:
    """The functions that compute a step's `set:`, before and after its operator.

    Where several steps meet, rows of one may lack a column of another: it is null there.
    """
    d = node.definition
    before, after = (
        assign(d.get(k) or {}, d["seed"], d["site"], count) for k in ("set", "set_after")
    )
    if len(node.inputs) < 2:
        return before, after
    complete = completed(node)
    return lambda frame: before(complete(frame)), after


def completed(node: PlanNode) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """The function that adds the columns which rows have behind a step and lack so far, as null."""
    kinds = {
        name: KINDS.get(kind.rstrip("?"), pl.Null)
        for name, kind in node.columns
        if not name.startswith("_") and name != "source.text"
    }

    def complete(frame: pl.DataFrame) -> pl.DataFrame:
        absent = [n for n in kinds if n not in frame.columns]
        return frame.with_columns(pl.lit(None, dtype=kinds[n]).alias(n) for n in absent)

    return complete


def divided(node: PlanNode, count: Count | None = None) -> Divide:
    """The function that parts the rows a step applies to from those that its `when:` lets pass.

    What the step makes is null in a row that passes.
    """
    d = node.definition
    if d.get("when") is None:
        return undivided
    applies = lowered(d["when"], d["seed"], f"{d['site']}.when", count)
    complete = completed(node)

    def divide(frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame | None]:
        if len(node.inputs) > 1:  # the condition may read what rows of one input lack
            frame = complete(frame)
        mask = truth(frame, applies(frame))
        return frame.filter(mask), complete(frame.filter(~mask))

    return divide


def map_stage(
    node: PlanNode, operator: Operator, account: Account, count: Count | None = None
) -> MapStage:
    """The stage of a map step."""
    kernel = operator.build(**_arguments(node, operator, count))
    before, after = assignments(node, count)
    return MapStage(node.name, account, kernel, before, after, divided(node, count))


def gather_stage(
    node: PlanNode, operator: Operator, account: Account, count: Count | None = None
) -> GatherStage:
    """The stage of a step that gathers."""
    kernel = operator.build(**_arguments(node, operator, count))(node.definition["params"]["draws"])
    before, after = assignments(node, count)
    return GatherStage(node.name, account, kernel, before, after, divided(node, count))


COLUMNAR = ("map", "gather")
"""Stages of steps that work on frames; `columnar_stage` makes theirs."""


def columnar_stage(
    node: PlanNode, operator: Operator, account: Account, count: Count | None = None
) -> MapStage | GatherStage:
    """The stage of a step that works on frames, whose `apply` takes a frame that is the whole."""
    made = map_stage if node.stage == "map" else gather_stage
    return made(node, operator, account, count)


def build_row_op(
    node: PlanNode, operator: Operator, tools: Tools, count: Count | None = None
) -> Any:
    """The built operator of a model step or check."""
    if count is not None and "tokens" in node.definition:
        tools = replace(tools, judge=counting(tools.judge, count))
    made = operator.build(**_arguments(node, operator, count))(tools)
    samples = int(node.definition["params"].get("samples") or 1)
    return Numbered(made, samples) if samples > 1 else made


def _arguments(node: PlanNode, operator: Operator, count: Count | None) -> dict[str, Any]:
    """Parameters for the operator's function: prompts read, expressions of map steps lowered."""
    d = node.definition
    made: dict[str, Any] = {}
    for param in operator.params:
        value = d["params"].get(param.name, param.default)
        if value is not None and param.type is Prompt:
            value = prompt_of(node)
        elif value is not None and Template in (param.type, *get_args(param.type)):
            value = template_of(node, param.name)
        elif value is not None and _is_columnar(operator, param.type):
            value = lowered(str(value), d["seed"], f"{d['site']}.{param.name}", count)
        made[param.python] = value
    if node.tuning.until is not None:
        made["until"] = node.tuning.until
    return made


def _is_columnar(operator: Operator, hint: Any) -> bool:
    """Whether a parameter is an expression that is computed over frames."""
    named = {hint, *get_args(hint)} & {Expression, Rank}
    return bool(named) and operator.stage in COLUMNAR


def prompt_of(node: PlanNode) -> PromptFile:
    """The prompt of a step, read from the texts that the plan carries."""
    assert node.prompt is not None
    prompt, problems = read_prompt(node.prompt["path"], node.prompt["files"].__getitem__)
    if prompt is None:
        raise ValueError(f"the plan's prompt does not read: {problems}")
    return prompt


def template_of(node: PlanNode, param: str) -> TextTemplate:
    """The render template that a parameter of a step names, likewise."""
    assert node.prompt is not None
    return load_template(node.prompt["templates"][param], node.prompt["files"])


def _made(node: PlanNode, operator: Operator) -> dict[str, pl.DataType | type[pl.DataType]]:
    """Types of the columns that a model step makes, whose first row may not tell."""
    kinds = {name: kind.rstrip("?") for name, kind in node.columns}
    if node.prompt is None:  # a model that rates is asked by none
        return {n: KINDS[kinds[n]] for n in operator.writes if kinds.get(n) in KINDS}
    prompt = prompt_of(node)
    # Lists and objects of a reply; a `set:` may have given the column another type since.
    reply = {
        name: dtype
        for (name, kind), dtype in zip(prompt.reply, dtypes_of(prompt).values(), strict=True)
        if kinds.get(name) == str(kind).rstrip("?")
    }
    made = sorted({*dict(prompt.reply), "text", "input.text", "_accepted", DRAW})
    return {**{n: KINDS[kinds[n]] for n in made if kinds.get(n) in KINDS}, **reply}
