"""Which documents a preview shows: those that a `limit:` would take first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from ..compiler.plan import Plan, PlanNode
from .account import Account
from .catalog import load_catalog
from .counting import Count
from .execution import source_specs
from .pipeline import COLUMNAR, columnar_stage
from .project import Project
from .rows import ORDER
from .sources.jsonl import SourceSpec, sample_rows, scan_partitions
from .sources.remote import size_of
from .stages import first_rows, fitting

WHOLE = 64 << 20
"""Bytes of a source that are read as a whole; of a larger one, a sample is."""
SAMPLED = 2_000
LIMITED = 20_000
"""A `limit:` of a source up to which it is read as a whole, since rows beyond it never run."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Documents in the order in which a `limit:` takes them.

    Attributes:
        frames: The rows of each source.
        docs: Source and `_doc` of each document that may reach a model, the smallest `_doc` first.
        sampled: Names of sources that were too large to be read as a whole.
    """

    frames: dict[str, pl.DataFrame]
    docs: tuple[tuple[str, str], ...]
    sampled: tuple[str, ...] = ()

    def rows(self, source: str, doc: str) -> pl.DataFrame:
        """The rows of a document: more than one where equal documents stand in the source."""
        frame = self.frames[source]
        return frame.filter(pl.col("_doc") == doc)


def candidates(
    plan: Plan, project: Project, count: Count | None, steps: frozenset[str] | None = None
) -> Candidates:
    """Find the documents that get through the columnar steps before a model step or check.

    Where there is no such step, those that get through all of them.

    Args:
        plan: The plan.
        project: Where its sources are.
        count: What expressions count tokens with, if any does.
        steps: Names of the steps to look at; None for all.

    Raises:
        MisfitError: A step does not fit the data.
        OSError: A source cannot be read.
    """
    frames: dict[str, pl.DataFrame] = {}
    sampled = []
    nodes = [n for n in plan.nodes if steps is None or n.name in steps or n.stage == "scan"]
    read = {name for n in nodes for name, _ in n.inputs}
    for name, spec in source_specs(plan, project).items():
        if name in read or not read:
            whole = _is_small(spec)
            frames[name] = _rows(spec, int(plan.recipe["seed"]), whole)
            sampled += [] if whole else [name]
    arrived = sorted({d for frame in _arriving(nodes, frames, count) for d in _docs(frame)})
    return Candidates(frames, tuple((s, d) for d, s in arrived), tuple(sampled))


def _is_small(spec: SourceSpec) -> bool:
    limited = spec.limit is not None and spec.limit <= LIMITED
    return limited or sum(map(size_of, spec.files)) <= WHOLE


def _rows(spec: SourceSpec, seed: int, whole: bool) -> pl.DataFrame:
    if whole:
        frame = pl.concat([p.frame for p in scan_partitions(spec)], how="diagonal_relaxed")
    else:
        frame = sample_rows(spec, SAMPLED, seed).frame
    return frame.with_columns(pl.int_range(frame.height, dtype=pl.Int64).alias(ORDER))


def _arriving(
    nodes: list[PlanNode], frames: dict[str, pl.DataFrame], count: Count | None
) -> Iterator[pl.DataFrame]:
    """The rows that arrive where columnar work ends: at models and checks, or at the outputs."""
    left = {(name, ""): frame for name, frame in frames.items()}
    work = [n for n in nodes if n.stage != "scan"]
    asked = _before_models(work)
    reached = False
    for node in work:
        given = [left[edge] for edge in node.inputs if edge in left]
        if not given:
            continue
        with fitting(node.name):
            frame = pl.concat(given, how="diagonal_relaxed")
        if (limit := node.most_rows) is not None:
            frame = first_rows([frame], limit)
        if node.stage in COLUMNAR:
            stage = columnar_stage(node, load_catalog().steps[node.op], Account(), count)
            kept, rejected = stage.apply(frame)
            left[(node.name, "")] = kept
            if rejected is not None:
                left[(node.name, "rejected")] = rejected
        elif node.name in asked:
            reached = True
            yield frame
    if not reached and not asked:
        ends = {(n.name, "") for n in work} - {edge for n in work for edge in n.inputs}
        yield from (left[edge] for edge in sorted(ends or left) if edge in left)


def _before_models(work: list[PlanNode]) -> set[str]:
    """Steps on single rows that are a model step, or that one reads directly or by others."""
    wanted: set[str] = set()
    for node in reversed(work):
        if node.asked or node.name in wanted:
            wanted |= {node.name, *(name for name, _ in node.inputs)}
    return {n.name for n in work if n.name in wanted and n.stage not in COLUMNAR}


def _docs(frame: pl.DataFrame) -> list[tuple[str, str]]:
    return list(zip(frame["_doc"].to_list(), frame["_source"].to_list(), strict=True))
