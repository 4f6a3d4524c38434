"""What a ledger holds by model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .framing import Gap, read_raw, scan
from .pack_writer import Record, count_models
from .packs import Models
from .segments import read_segment
from .view import View, survey


@dataclass(frozen=True, slots=True)
class Holding:
    """Completions of one model: its engine, its name as recipes spell it, and token counts."""

    engine: str
    model: str
    completions: int
    prompt_tokens: int
    completion_tokens: int


def holdings(folder: Path) -> list[Holding]:
    """What a ledger holds by model, most completions first; reads all segments, but no packs.

    Raises:
        LedgerError: If a Mashbill with another ledger format wrote it.
        OSError: If it cannot be read.
    """
    view = survey(folder, View())
    total: Models = Models()
    for name in view.extents:
        pack = view.by_name.get(name)
        if pack is None:
            _count_segment(total, folder, name)
        elif pack.models is not None:
            total.update(pack.models)
        else:
            for _, _, offset in pack.walk():
                if frame := pack.read(offset):
                    count_models(total, Record(frame[0], view.raw(name, *frame)))
    view.close()
    found = [
        Holding(engine, model, n, total[engine, model, "in"], total[engine, model, "out"])
        for (engine, model, what), n in total.items()
        if what == "n"
    ]
    return sorted(found, key=lambda h: (-h.completions, h.engine, h.model))


def _count_segment(total: Models, folder: Path, name: str) -> None:
    try:
        data, _ = read_segment(folder, name)
    except FileNotFoundError:  # `ledger verify` says so
        return
    for found in scan(data):
        if not isinstance(found, Gap):
            at, head = found
            count_models(total, Record(head, read_raw(head, data[at : at + head.size])))
