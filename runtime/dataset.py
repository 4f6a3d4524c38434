"""From the rows that left the graph to the shards of the data set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from .execution import Execution
from .faults import RunError
from .mixing import PART, Selection, rows_in_order, select
from .output import Output
from .rows import ORDER
from .schemas import join_schemas
from .shards import ShardWriter
from .splits import splits_of
from .spool import Spool, in_order


def choose(execution: Execution, *, partial: bool = False) -> Selection | None:
    """What enters the mix; None without one. Of a part of the rows, what their shares allow.

    Raises:
        RunError: There is too little of a part, and the recipe wants no less.
    """
    plan = execution.plan
    if plan.mix is None:
        return None
    asked = {**plan.mix, "on_shortfall": "shrink"} if partial else plan.mix
    human = {name: plan.origin_of(name) == "human" for name in execution.parts()}
    selection = select(asked, execution.parts(), human)
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


def write_shards(
    execution: Execution,
    output: Output,
    folder: Path,
    selection: Selection | None,
    record: dict[str, Any],
) -> None:
    """Write the rows that leave the graph into a folder, and note the shards in the record.

    Raises:
        OSError: A shard cannot be written.
    """
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
