"""Why a row is what it is: its document sent through the plan once more, against the ledger alone.

Nothing about a row is stored besides its identity: what led to it is computed again by the same
code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from ..compiler.plan import Plan, PlanNode
from .checkpool import CheckPool
from .counting import counter_of
from .engine_room import EngineRoom
from .execution import source_specs
from .interrupts import run_async
from .ledger import Entry, Ledger, key_of
from .project import Project
from .requests import Message, Request
from .rows import ORDER
from .sources.jsonl import scan_partitions
from .toolbox import tools_of
from .tools import Line, Tools
from .tracing import Stop, Trace
from .window import MissingError, sampling_of

if TYPE_CHECKING:
    from .engines.base import ModelInfo


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
    passes: int = 1

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
        pool = CheckPool(0)
        trace = Trace(
            self.plan, lambda node, _: self._tools(node, pool), counter_of(self.plan, self.room)
        )
        return run_async(trace.walk(source, row))

    def _tools(self, node: PlanNode, pool: CheckPool) -> Tools:
        return tools_of(node, self._line, pool.judge, self.passes)

    def _line(self, name: str) -> Line:
        info = self.room.info(name)
        ask = ledger_only(self.ledger, info)
        return Line(ask, self.room.tokens(name), info.context)


def ledger_only(ledger: Ledger, info: ModelInfo) -> Any:
    """An `ask` that the ledger alone answers; it raises `MissingError` where it cannot."""

    async def ask(messages: tuple[Message, ...], sampling: Mapping[str, Any], draw: int) -> Entry:
        request = Request(info.digest_for(messages), messages, sampling_of(sampling), draw)
        entry = ledger.get(key_of(request), request.sampling.max_tokens)
        if entry is None:
            raise MissingError
        return entry

    return ask
