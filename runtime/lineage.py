"""Why a row is what it is: its document sent through the plan once more, against the ledger alone.

Nothing about a row is stored besides its identity: what led to it is computed again by the same
code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from ..compiler.plan import Plan, PlanNode
from .account import Account
from .catalog import load_catalog
from .checkpool import CheckError, CheckPool
from .counting import counter_of
from .engine_room import EngineRoom
from .execute import source_specs
from .interrupts import run_async
from .kernel import REASON
from .ledger import Entry, Ledger, key_of
from .outcome import Outcome
from .pipeline import assignments, build_row_op, divided, map_stage
from .project import Project
from .prompting import RenderError
from .requests import Message, Request
from .rows import ORDER
from .sources.jsonl import scan_partitions
from .stages import fitting
from .tools import Tools, no_model
from .window import MissingError, sampling_of


@dataclass(frozen=True, slots=True)
class Stop:
    """What one step made of one row.

    Attributes:
        step: The step.
        row: As it reached the step.
        outcomes: What came of it; empty where the ledger does not hold its completions.
    """

    step: PlanNode
    row: Mapping[str, Any]
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Lineage:
    """A document on its way through the plan.

    Attributes:
        doc: Its `_doc`.
        source: The source's name.
        place: File and line, as far as known.
        row: As it came from the source.
        stops: In the order of the plan.
        written: Rows of the data set that came of it: shard, number and row.
    """

    doc: str
    source: str
    place: str
    row: Mapping[str, Any]
    stops: tuple[Stop, ...]
    written: tuple[tuple[str, int, Mapping[str, Any]], ...]


def find_written(
    folder: Path, record: Mapping[str, Any], prefix: str, *, most: int | None = None
) -> list[tuple[str, int, dict[str, Any]]]:
    """Rows of a data set whose `_id` or `_doc` begins so: shard, row number and row.

    Args:
        folder: Of the data set.
        record: Its run record.
        prefix: Of the id; every id begins with the empty one.
        most: How many to find at most, since rows may be many and long.
    """
    found: list[tuple[str, int, dict[str, Any]]] = []
    for shard in record["output"].get("shards", []):
        file = folder / shard["file"]
        if not file.is_file():
            continue
        rows = pl.scan_parquet(file) if file.suffix == ".parquet" else pl.scan_ndjson(file)
        names = [c for c in ("_id", "_doc") if c in rows.collect_schema()]
        if not names:
            continue
        hit = pl.any_horizontal(pl.col(c).str.starts_with(prefix) for c in names)
        rows = rows.with_row_index("_row").filter(hit)
        if most is not None:
            rows = rows.head(most - len(found))
        for row in rows.collect().iter_rows(named=True):
            found.append((shard["file"], int(row.pop("_row")), row))
        if most is not None and len(found) >= most:
            break
    return found


@dataclass(slots=True)
class Tracer:
    """Sends documents through a plan."""

    plan: Plan
    project: Project
    room: EngineRoom
    ledger: Ledger
    stops: list[Stop] = field(default_factory=list)

    def find(self, prefix: str) -> tuple[str, str, pl.DataFrame] | None:
        """The source, place and row of a document whose `_doc` or `_id` begins so."""
        for name, spec in source_specs(self.plan, self.project).items():
            for partition in scan_partitions(spec):
                frame = partition.frame
                hit = frame.with_row_index("_row").filter(
                    pl.col("_doc").str.starts_with(prefix) | pl.col("_id").str.starts_with(prefix)
                )
                if hit.height:
                    row = hit.head(1)
                    place = f"row {row['_row'][0] + 1:,}"
                    if len(spec.shown) == 1:
                        place = f"{spec.shown[0]}, {place}"
                    order = pl.lit(0, pl.Int64).alias(ORDER)
                    return name, place, row.drop("_row").with_columns(order)
        return None

    def trace(self, source: str, row: pl.DataFrame) -> tuple[Stop, ...]:
        """Send a row through every step that it reaches."""
        frames: dict[tuple[str, str], pl.DataFrame] = {(source, ""): row}
        stops: list[Stop] = []
        for node in self.plan.nodes:
            given = [frames[edge] for edge in node.inputs if edge in frames and frames[edge].height]
            if node.stage == "scan" or not given:
                continue
            frame = pl.concat(given, how="diagonal_relaxed")
            if node.stage == "map":
                stops += self._map(node, frame, frames)
            else:
                stops += self._rows(node, frame, frames)
        return tuple(stops)

    def _map(
        self, node: PlanNode, frame: pl.DataFrame, frames: dict[tuple[str, str], pl.DataFrame]
    ) -> list[Stop]:
        stage = map_stage(
            node, load_catalog().steps[node.op], Account(), counter_of(self.plan, self.room)
        )
        kept, rejected = stage.apply(frame)
        frames[(node.name, "")] = kept
        if rejected is not None:
            frames[(node.name, "rejected")] = rejected
        by_id = {r["_id"]: r for r in frame.rows(named=True)}
        stops = [
            Stop(node, by_id[r["_id"]], (Outcome("out", (r,)),)) for r in kept.rows(named=True)
        ]
        for r in rejected.rows(named=True) if rejected is not None else ():
            stops.append(Stop(node, by_id[r["_id"]], (Outcome("rejected", (r,), r[REASON]),)))
        return stops

    def _rows(
        self, node: PlanNode, frame: pl.DataFrame, frames: dict[tuple[str, str], pl.DataFrame]
    ) -> list[Stop]:
        count = counter_of(self.plan, self.room)
        before, after = assignments(node, count)
        frame, rest = divided(node, count)(frame)
        rows = before(frame).rows(named=True)
        stops = [Stop(node, row, run_async(self._run(node, row))) for row in rows]
        for port, end in (("", "out"), ("rejected", "rejected"), ("routed", "routed")):
            made = [
                {**r, REASON: o.reason} if port else dict(r)
                for stop in stops
                for o in stop.outcomes
                if o.end == end
                for r in o.rows
            ]
            if made:
                with fitting(node.name):
                    found = pl.DataFrame(made, infer_schema_length=None)
                    frames[(node.name, port)] = found if port else after(found)
        if rest is not None and rest.height:  # its `when:` lets them pass
            made_of_others = [frames[(node.name, "")]] if (node.name, "") in frames else []
            frames[(node.name, "")] = pl.concat([*made_of_others, rest], how="diagonal_relaxed")
            stops += (Stop(node, r, (Outcome("out", (r,)),)) for r in rest.rows(named=True))
        return stops

    async def _run(self, node: PlanNode, row: Mapping[str, Any]) -> tuple[Outcome, ...]:
        pool = CheckPool(0)
        count = counter_of(self.plan, self.room)
        op = build_row_op(node, load_catalog().steps[node.op], self._tools(node, pool), count)
        try:
            found: tuple[Outcome, ...] = await op.run(row)
        except MissingError:
            return ()
        except (RenderError, CheckError) as error:
            return (Outcome("error", (row,), str(error)),)
        return found

    def _tools(self, node: PlanNode, pool: CheckPool) -> Tools:
        if node.model is None:
            return no_model(pool.judge, node.rule)
        info = self.room.info(node.model)
        return Tools(
            ledger_only(self.ledger, info.digest),
            pool.judge,
            self.room.tokens(node.model),
            node.rule,
            info.context,
        )


def ledger_only(ledger: Ledger, digest: str) -> Any:
    """An `ask` that the ledger alone answers; it raises `MissingError` where it cannot."""

    async def ask(messages: tuple[Message, ...], sampling: Mapping[str, Any], draw: int) -> Entry:
        request = Request(digest, messages, sampling_of(sampling), draw)
        entry = ledger.get(key_of(request), request.sampling.max_tokens)
        if entry is None:
            raise MissingError
        return entry

    return ask
