"""Reading a whole ledger to find damage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .framing import Gap, scan
from .layout import segment_path
from .runs import Run
from .segments import HEADER, Extent, read_segment
from .view import View, survey


@dataclass(frozen=True, slots=True)
class Problem:
    """Damage: in which file, from which byte, and what it means."""

    file: Path
    offset: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}, byte {self.offset}: {self.what}"


def audit(folder: Path) -> list[Problem]:
    """All damage in the ledger of a folder, in order of its files; see `Ledger.verify`."""
    view = survey(folder, View())
    problems = [
        Problem(p, 0, "the index is damaged; to make it again, open the ledger for writing")
        for p in view.broken
    ]
    runs = {name: run for run in view.runs for name in run.names}
    for run in view.runs:
        if not run.is_good():
            problems.append(
                Problem(run.path, 0, "the index is damaged; to make it again, delete it")
            )
    for name, extent in sorted(view.extents.items()):
        problems += _audit_segment(folder, extent, runs.get(name))
    return problems


def _audit_segment(folder: Path, extent: Extent, run: Run | None) -> list[Problem]:
    name, path = extent.name, segment_path(folder, extent.name)
    try:
        header = path.open("rb").read(len(HEADER))
        data, start = read_segment(folder, name)
    except FileNotFoundError:
        return [Problem(path, 0, f"missing, with {extent.completions} completions")]
    problems = []
    if header != HEADER:
        problems.append(Problem(path, 0, "the header is damaged; records are read all the same"))
    for found in scan(data):
        if isinstance(found, Gap):
            # Bytes that a seal vouches for are never merely torn.
            if found.kind == "damaged" or (run and start + found.start < extent.end):
                size = found.end - found.start
                problems.append(Problem(path, start + found.start, f"{size} bytes are damaged"))
        elif run and (name, start + found[0]) not in run.find(found[1].key):
            problems.append(Problem(path, start + found[0], "the index does not know this record"))
    if run and start + len(data) < extent.end:
        missing = extent.end - start - len(data)
        problems.append(Problem(path, start + len(data), f"{missing} bytes are missing at the end"))
    return problems
