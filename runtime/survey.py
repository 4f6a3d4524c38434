"""Facts for estimates: real rows, filters, prompts and token counts; no model is called.

Model steps are run on sampled rows against the ledger alone. Rows whose every call it holds show
what the step really does; the others go on as they came, and what lies below them is marked
assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from ..compiler.cost import Facts, NodeFacts, Past, SourceFacts
from ..compiler.expr import parse_expr, show_expr
from ..compiler.expr.nodes import Logic
from ..compiler.plan import Plan, PlanNode
from ..compiler.pricing import CheckFacts
from .account import Account
from .catalog import load_catalog
from .checkpool import CheckPool
from .counting import Count, counter_of
from .engine_room import EngineRoom
from .execution import mix_tokens, source_specs
from .expressions import lowered, truth
from .faults import MisfitError
from .interrupts import run_async
from .ledger import Entry, Ledger, key_of
from .mishaps import outcome_of
from .outcome import Outcome
from .parts import part_renderer
from .pipeline import COLUMNAR, assignments, build_row_op, columnar_stage, completed, divided
from .project import Project
from .prompting import RenderError
from .rehearsal import check_facts, repair_facts
from .requests import Message, Request
from .rows import ORDER
from .runs import last_run
from .sources.jsonl import Unreadable, sample_rows
from .stages import first_rows, fitting
from .toolbox import tools_of
from .tools import Line, Tools
from .window import MissingError, sampling_of

SAMPLE_ROWS = 400
CHECK_SECONDS = 10.0
"""How long a check may take for one row of the sample."""
MODEL_ROWS = 64
"""Sampled rows that a model step renders prompts for, unless the sample is the whole."""


Paid = tuple[int, int, int]
"""Calls, prompt tokens and reply tokens."""


@dataclass(slots=True)
class Survey:
    """Facts, and what was noticed on the way."""

    facts: Facts
    unreadable: dict[str, tuple[Unreadable, ...]] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Paid:
    """Calls of one row that the ledger holds."""

    calls: int = 0
    prompt: int = 0
    reply: int = 0
    by_model: dict[str, Paid] = field(default_factory=dict)


def survey(plan: Plan, project: Project, room: EngineRoom) -> Survey:
    """Measure a plan. Raises `EngineError`, `OSError`, `OutsideError`."""
    ledger = Ledger.open(project.state / "ledger", write=False)
    with ledger:
        return _Surveyor(plan, project, room, ledger, counter_of(plan, room)).run()


def _added(one: Paid, other: Paid) -> Paid:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _by_model(rows: list[_Paid]) -> dict[str, Paid]:
    found: dict[str, Paid] = {}
    for paid in rows:
        for name, amounts in paid.by_model.items():
            found[name] = _added(found.get(name, (0, 0, 0)), amounts)
    return found


def _as_judged(node: PlanNode, row: dict[str, Any], units: float) -> dict[str, Any]:
    """A row as checks and repairs might see it: its text in the place of each reply."""
    if node.model is None:
        return row
    text = str(row.get("text") or "")
    part = text[: round(len(text) / units)] if units > 1 else text
    absent = {name: part for name, _ in node.columns if name not in row}
    return {**row, **absent, "text": part, "input.text": part}


def _with(made: pl.DataFrame, rest: pl.DataFrame | None) -> pl.DataFrame:
    """Rows that a step made, and those that passed."""
    return made if rest is None else pl.concat([made, rest], how="diagonal_relaxed")


def _strictest(node: PlanNode, frame: pl.DataFrame, count: Count | None) -> str:
    """The clause of a filter that fewest rows satisfy; empty if it has but one."""
    keep = node.definition["params"].get("keep")
    expr, _ = parse_expr(str(keep)) if keep else (None, ())
    if not isinstance(expr, Logic) or expr.op != "and" or not frame.height:
        return ""
    before, _ = assignments(node, count)
    d = node.definition
    with suppress(pl.exceptions.PolarsError, TypeError):
        frame = before(frame)
        clauses = [show_expr(clause) for clause in expr.operands]
        passed = [
            truth(frame, lowered(c, d["seed"], f"{d['site']}.keep", count)(frame)).sum()
            for c in clauses
        ]
        return clauses[passed.index(min(passed))]
    return ""


@dataclass(slots=True)
class _Surveyor:
    plan: Plan
    project: Project
    room: EngineRoom
    ledger: Ledger
    count: Count | None
    frames: dict[str, tuple[pl.DataFrame, bool]] = field(default_factory=dict)
    nodes: dict[str, NodeFacts] = field(default_factory=dict)
    exact: bool = False
    """Whether the sample is the whole."""

    def run(self) -> Survey:
        sources: dict[str, SourceFacts] = {}
        unreadable: dict[str, tuple[Unreadable, ...]] = {}
        empty: list[str] = []
        exact = True
        specs = source_specs(self.plan, self.project)
        for name, spec in specs.items():
            sample = sample_rows(spec, SAMPLE_ROWS, int(self.plan.recipe["seed"]))
            rows = sample.exact_rows if sample.exact_rows is not None else sample.est_rows
            sources[name] = SourceFacts(float(rows), sample.exact_rows is not None)
            whole = sample.exact_rows is not None and sample.frame.height == sample.exact_rows
            exact = exact and whole
            if sample.unreadable:
                unreadable[name] = sample.unreadable
            if not sample.frame.height:
                empty.append(name)
            order = pl.int_range(sample.frame.height, dtype=pl.Int64).alias(ORDER)
            self.frames[name] = (sample.frame.with_columns(order), False)
        if empty:  # no step can be tried on rows that are not there
            return Survey(Facts(sources), unreadable, empty)
        self.exact = exact
        counter = mix_tokens(self.plan, self.room)
        for node in self.plan.nodes:
            if node.stage != "scan":
                self._node(node)
        for name, port in self.plan.outputs:
            if port:  # what a port carries is not sampled
                continue
            frame, _ = self.frames[name]
            seen = self.nodes.get(name, NodeFacts(frame.height, frame.height))
            if (render := part_renderer(self.plan, name, counter)) is not None:
                frame = render(frame)
            tokens = sum(counter.count(frame["text"].fill_null("").to_list())) if counter else 0
            if name in self.nodes and frame.height:  # of the rows that its own facts speak of
                tokens = round(tokens * seen.rows_out / frame.height)
            self.nodes[name] = replace(seen, text_tokens=tokens)
        facts = Facts(sources, self.nodes, self._past(), exact, self._exact_tokens())
        return Survey(facts, unreadable, empty)

    def _node(self, node: PlanNode) -> None:
        # Asides are not sampled: a step that reads one sees no row of it here.
        inputs = [
            (f.clear(), True) if port else (f, assumed)
            for name, port in node.inputs
            for f, assumed in (self.frames[name],)
        ]
        assumed = any(a for _, a in inputs)
        with fitting(node.name):
            frame = pl.concat([f for f, _ in inputs], how="diagonal_relaxed")
        if (limit := node.most_rows) is not None:
            frame = first_rows([frame], limit)
        operator = load_catalog().steps[node.op]
        if node.stage == "gather" and assumed:  # nobody has drawn what it would choose from
            kept = completed(node)(frame)
            facts = NodeFacts(frame.height, frame.height, True)
            self.frames[node.name] = (kept, True)
        elif node.stage in COLUMNAR:
            account = Account()
            try:
                kept, _ = columnar_stage(node, operator, account, self.count).apply(frame)
            except MisfitError:
                if not assumed:
                    raise
                kept = frame  # it reads what a model has not written yet
            strictest = "" if kept.height or assumed else _strictest(node, frame, self.count)
            facts = NodeFacts(frame.height, kept.height, assumed, strictest=strictest)
            self.frames[node.name] = (kept, assumed)
        else:
            facts = self._rows(node, frame, assumed)
        self.nodes[node.name] = facts

    def _rows(self, node: PlanNode, frame: pl.DataFrame, assumed: bool) -> NodeFacts:
        frame = first_rows([frame], MODEL_ROWS) if node.asked and not self.exact else frame
        before, _ = assignments(node, self.count)
        whole, rest = frame, None
        try:
            with fitting(node.name):
                frame, rest = divided(node, self.count)(frame)
                rows = before(frame).rows(named=True)
        except MisfitError:
            if not assumed:
                raise
            frame, rest, rows = whole, None, whole.rows(named=True)
        if not node.asked and assumed:
            self.frames[node.name] = (whole, True)
            return NodeFacts(whole.height, whole.height, True)
        passed = 0 if rest is None else rest.height
        # Where nobody has written what is to be judged, judging it would show nothing.
        blind = assumed and node.model is None
        found = run_async(self._settle(node, rows)) if rows and not blind else []
        out = [dict(r) for _, outcomes in found for o in outcomes if o.end == "out" for r in o.rows]
        settled = [(paid, outcomes) for paid, outcomes in found if outcomes]
        if not node.asked:
            kept = frame.clear()
            if out:  # with the columns that the step has made
                kept = pl.DataFrame(out, schema_overrides=frame.schema, infer_schema_length=None)
            self.frames[node.name] = (completed(node)(_with(kept, rest)), False)
            return NodeFacts(len(rows) + passed, len(out) + passed)
        free = sum(not p.calls for p, _ in settled) if node.model is None else 0
        calls, prompt, source = self._prompts(node, rows)
        reached = rows if blind else [r for r, (p, os) in zip(rows, found, strict=True) if not os]
        repairs, checks = self._rehearse(node, reached or rows, calls / max(len(rows), 1))
        if settled and len(settled) == len(rows):
            kept = pl.DataFrame(out, infer_schema_length=None) if out else frame.clear()
            self.frames[node.name] = (completed(node)(_with(kept, rest)), assumed)
        else:
            self.frames[node.name] = (completed(node)(whole), True)
        return NodeFacts(
            rows_in=len(rows) + passed,
            rows_out=len(out),
            assumed=assumed,
            passed=passed,
            calls=calls,
            prompt_tokens=prompt,
            source_tokens=source,
            settled_rows=len(settled),
            settled_units=sum(
                1 for _, os in settled for o in os for u in o.units if u.end != "kept"
            )
            if node.model
            else len(settled) - free,
            settled_calls=sum(p.calls for p, _ in settled),
            settled_prompt=sum(p.prompt for p, _ in settled),
            settled_reply=sum(p.reply for p, _ in settled),
            settled=_by_model([p for p, _ in settled]) if node.models else {},
            free=free,
            repairs=repairs,
            checks=checks,
        )

    def _rehearse(
        self, node: PlanNode, rows: list[dict[str, Any]], units: float
    ) -> tuple[dict[int, float], dict[str, CheckFacts]]:
        """What repairs and checks would ask of rows, each of so many units."""
        tools = self._tools(node, CheckPool(0), _Paid())
        if not node.models and not tools.repairs:
            return {}, {}
        names = [c["name"] for c in node.definition["params"].get("checks") or ()]
        shown = [_as_judged(node, row, units) for row in rows[:MODEL_ROWS]]
        lines = {place: self._line(model, _Paid()) for place, model in node.models.items()}
        facts = run_async(check_facts(node, shown, lines)) if node.models else {}
        return repair_facts(tools.repairs, shown, names), facts

    async def _settle(
        self, node: PlanNode, rows: list[dict[str, Any]]
    ) -> list[tuple[_Paid, tuple[Outcome, ...]]]:
        """Run a step on rows against the ledger alone; no outcomes for rows that need a call."""
        # In a process of its own: a check that crashes or hangs must not take the plan with it.
        pool = CheckPool(1, timeout=CHECK_SECONDS)
        found: list[tuple[_Paid, tuple[Outcome, ...]]] = []
        try:
            for row in rows:
                paid = _Paid()
                op = build_row_op(
                    node, load_catalog().steps[node.op], self._tools(node, pool, paid), self.count
                )
                try:
                    found.append((paid, await op.run(row)))
                except MissingError:
                    found.append((paid, ()))
                except Exception as error:  # the run will say so of each such row
                    found.append((paid, (outcome_of(row, error),)))
        finally:
            await pool.close()
        return found

    def _tools(self, node: PlanNode, pool: CheckPool, paid: _Paid) -> Tools:
        return tools_of(node, lambda model: self._line(model, paid), pool.judge)

    def _line(self, name: str, paid: _Paid) -> Line:
        info = self.room.info(name)

        async def ask(
            messages: tuple[Message, ...], sampling: Mapping[str, Any], draw: int
        ) -> Entry:
            request = Request(info.digest, messages, sampling_of(sampling), draw)
            entry = self.ledger.get(key_of(request), request.sampling.max_tokens)
            if entry is None:
                raise MissingError
            paid.calls += 1
            paid.prompt += entry.prompt_tokens
            paid.reply += entry.completion_tokens
            one = (1, entry.prompt_tokens, entry.completion_tokens)
            paid.by_model[name] = _added(paid.by_model.get(name, (0, 0, 0)), one)
            return entry

        return Line(ask, self.room.tokens(name), info.context)

    def _prompts(self, node: PlanNode, rows: list[dict[str, Any]]) -> tuple[int, int, int]:
        """First attempts that rows ask for, their prompt tokens, tokens of what is rewritten."""
        if node.model is None:
            counter = mix_tokens(self.plan, self.room)
            texts = [str(r.get("text") or "") for r in rows]
            return 0, 0, sum(counter.count(texts)) if counter else 0
        tools = self._tools(node, CheckPool(0), _Paid())
        op = build_row_op(node, load_catalog().steps[node.op], tools)
        chats = []
        for row in rows:
            with suppress(RenderError):
                chats += op.prompts(row)
        source = sum(tools.count([str(r.get("text") or "") for r in rows]))
        rewrites = node.op == "rewrite"
        return len(chats), sum(tools.tokens.count_chat(chats)), source if rewrites else 0

    def _past(self) -> dict[str, Past]:
        """What the last run of this recipe showed of steps that have not changed."""
        found = last_run(self.project.state, str(self.plan.recipe["name"]))
        if found is None:
            return {}
        _, record = found
        past = {}
        for node in self.plan.nodes:
            account = record.get("steps", {}).get(node.name)
            same = record.get("rules", {}).get(node.name) == node.rule
            if not node.model or not same or not account or not account["attempts"]:
                continue
            units = sum(v for k, v in account["units"].items() if k != "kept")
            stats = record["models"].get(node.model, {})
            if not units or not stats.get("sent"):
                continue
            past[node.name] = Past(
                account["attempts"] / units,
                stats["completion_tokens"] / stats["sent"],
                account["out"] / max(account["in"], 1),
                stats["completion_tokens"] / stats["seconds"] if stats["seconds"] else None,
            )
        return past

    def _exact_tokens(self) -> bool:
        names = {m for n in self.plan.nodes for m in n.asked}
        return all(self.room.info(name).exact_tokens for name in names)
