"""Reading a whole ledger to find damage."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from .framing import Gap, scan
from .layout import segment_path
from .packs import Pack
from .runs import Run
from .segments import HEADER, Extent, read_segment
from .view import View, survey


@dataclass(frozen=True, slots=True)
class Problem:
    """Damage: in which file, from which byte, and what it means."""

    file: Path
    offset: int
    what: str
    lost: int = 0
    """Completions that are lost by it, as far as is known; counted once a file."""

    def __str__(self) -> str:
        return f"{self.file}, byte {self.offset}: {self.what}"


def audit(folder: Path) -> list[Problem]:
    """All damage in the ledger of a folder, in order of its files; see `Ledger.verify`."""
    view = survey(folder, View())
    problems = [
        Problem(p, 0, "the index is damaged; to make it again, open the ledger for writing")
        for p in view.broken
    ]
    problems += [Problem(p, 0, "nothing in it can be read") for p in view.lost]
    runs = {name: run for run in view.runs for name in run.names}
    for run in view.runs:
        if not run.is_good():
            problems.append(
                Problem(run.path, 0, "the index is damaged; to make it again, delete it")
            )
    for name, extent in sorted(view.extents.items()):
        pack = view.by_name.get(name)
        if pack is not None:
            problems += audit_pack(pack)
        else:
            problems += audit_segment(folder, extent, runs.get(name))
    view.close()
    return problems


def audit_pack(pack: Pack) -> list[Problem]:
    """All damage in a pack."""
    return [Problem(pack.path, at, what, lost) for at, what, lost in pack.problems()]


def audit_segment(
    folder: Path, extent: Extent, run: Run | None, *, index: bool = True
) -> list[Problem]:
    """All damage in a segment, and, if `index` is asked about, what its run does not know."""
    name, path = extent.name, segment_path(folder, extent.name)
    try:
        with path.open("rb") as file:
            header = file.read(len(HEADER))
        data, start = read_segment(folder, name)
    except FileNotFoundError:
        lost = extent.completions
        return [Problem(path, 0, f"missing, with {lost:,} completions", lost)]
    problems: list[Problem] = []
    good = 0
    if header != HEADER:
        problems.append(Problem(path, 0, "the header is damaged; records are read all the same"))
    for found in scan(data):
        if isinstance(found, Gap):
            # Bytes that a seal vouches for are never merely torn.
            if found.kind == "damaged" or (run is not None and start + found.start < extent.end):
                size = found.end - found.start
                problems.append(Problem(path, start + found.start, f"{size:,} bytes are damaged"))
        else:
            good += 1
            if index and run is not None and (name, start + found[0]) not in run.find(found[1].key):
                what = "the index does not know this record"
                problems.append(Problem(path, start + found[0], what))
    if run is not None and start + len(data) < extent.end:
        missing = extent.end - start - len(data)
        what = f"{missing:,} bytes are missing at the end"
        problems.append(Problem(path, start + len(data), what))
    if run is not None and problems and good < extent.completions:
        problems[-1] = replace(problems[-1], lost=extent.completions - good)
    return problems
