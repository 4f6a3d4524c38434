"""How much disk a run needs, and whether that is free where it goes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...compiler.estimating.estimates import Estimates
from ...compiler.estimating.facts import Facts
from ...compiler.plan import Plan
from ...compiler.quantities import show_bytes

TOKEN_BYTES = 4.5
"""Of text, on disk and uncompressed: English under a subword tokenizer has 4 to 4.5."""
RECORD_BYTES = 160.0
"""Of a completion in the ledger beside its text: head, index, the rest of its body."""
ROW_BYTES = 120.0
"""Of a row beside its text: digests, source, origin."""
LITTLE = 64_000_000
"""Bytes below which nothing is refused: such a run is over before anyone could have been warned."""
TIGHT = 1.3
"""What is free, by what is needed, below which a word is due."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a run needs of one file system.

    Attributes:
        folder: A folder on it.
        needed: Bytes that are expected to be written there.
        free: Bytes that are free there.
    """

    folder: Path
    needed: float
    free: float

    @property
    def short(self) -> bool:
        """Whether there is clearly too little: not even what is expected fits."""
        return self.needed > max(self.free, LITTLE)

    @property
    def tight(self) -> bool:
        """Whether there is little more than what is expected."""
        return TIGHT * self.needed > max(self.free, LITTLE)

    def words(self) -> str:
        """`disk 41 GB needed, 380 GB free`."""
        return f"disk {show_bytes(self.needed)} needed, {show_bytes(self.free)} free"


def disk_needs(
    plan: Plan, facts: Facts | None, estimates: Estimates | None, state: Path, output: Path
) -> tuple[Need, ...]:
    """What a run needs of each file system, the tightest first.

    Args:
        plan: What would run.
        facts: What it was estimated from; None if nothing was measured.
        estimates: Of the plan.
        state: The folder of ledger and runs.
        output: The folder of the data set.

    Raises:
        OSError: A file system cannot be asked.
    """
    made = bytes_made(plan, facts, estimates) if estimates else {}
    places = {"ledger": state, "spool": state, "output": output}
    totals: dict[int, float] = {}
    folders: dict[int, Path] = {}
    for what, place in places.items():
        there = nearest(place)
        device = there.stat().st_dev
        totals[device] = totals.get(device, 0.0) + made.get(what, 0.0)
        folders.setdefault(device, there)
    found = [
        Need(folders[d], n, float(shutil.disk_usage(folders[d]).free)) for d, n in totals.items()
    ]
    return tuple(sorted(found, key=lambda need: need.free - need.needed))


def bytes_made(plan: Plan, facts: Facts | None, estimates: Estimates) -> Mapping[str, float]:
    """Bytes that are expected to be written: `ledger`, `spool` and `output`.

    What is compressed is counted as it is before: a run that is refused for too little disk should
    really have too little.
    """
    total = estimates.total
    ledger = 0.0
    if total is not None:
        ledger += (total.reply_tokens.value or 0.0) * TOKEN_BYTES
        ledger += (total.calls.value or 0.0) * RECORD_BYTES
    spool = sum(_part_bytes(plan, facts, estimates))
    output = spool
    if estimates.taken:
        output = sum(estimates.taken.values()) * TOKEN_BYTES
        output *= 1 + ROW_BYTES / max(1.0, _mean_row(plan, estimates, spool))
    return {"ledger": ledger, "spool": spool, "output": output}


def _part_bytes(plan: Plan, facts: Facts | None, estimates: Estimates) -> Iterator[float]:
    """Of the rows behind each edge that leaves the graph, which wait on disk for their order."""
    for name, port in plan.outputs:
        part = ".".join(filter(None, (name, port)))
        rows = estimates.steps[name].rows_out.value or 0.0
        supply = estimates.supply.get(part)
        if supply is not None and supply.value is not None:
            yield supply.value * TOKEN_BYTES + rows * ROW_BYTES
        elif not port:
            yield rows * (_row_size(name, facts, estimates) + ROW_BYTES)


def _row_size(name: str, facts: Facts | None, estimates: Estimates) -> float:
    """Bytes of the text of a row behind a step: as seen, or by what a model is to reply."""
    seen = facts.nodes.get(name) if facts else None
    for moments in (seen.settled, seen.reached) if seen else ():
        size, rows = (moments.of("size_out"), moments.of("rows_out")) if moments else (None, None)
        if size is not None and rows:
            return size / rows
    step = estimates.steps[name]
    rows_out = step.rows_out.value or 0.0
    if step.spending is not None and rows_out:
        return (step.spending.reply_tokens.value or 0.0) * TOKEN_BYTES / rows_out
    return seen.reached.size if seen and seen.reached else 0.0


def _mean_row(plan: Plan, estimates: Estimates, spool: float) -> float:
    rows = sum(estimates.steps[name].rows_out.value or 0.0 for name, _ in plan.outputs)
    return spool / rows if rows else 0.0


def nearest(path: Path) -> Path:
    """The nearest folder above that is there."""
    path = path.absolute()
    return next((p for p in (path, *path.parents) if p.is_dir()), path)
