"""How much work a survey does: counted, so that it looks at the same rows anywhere.

The unit is a second of a usual machine that does nothing else, by rates that are no more than
about right. A clock is only the last resort.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...compiler.registry import Pace
from ..catalog import load_catalog

if TYPE_CHECKING:
    from ...compiler.plan import PlanNode
    from ..checkpool import CheckSpec
    from ..counting import Count

TIMES = 10.0
"""How much longer than the work that is counted the clock may run."""

READ, SLICE = 20e-9, 4e-3
"""A byte of text that is drawn, and a piece cut out of a file of typed columns."""
ROW, LOOKUP, JUDGING = 50e-6, 150e-6, 150e-6
"""A row that goes through a step, a reply that is looked up in the ledger, and a row that is sent
to the checks of a step."""
TOKENISED, CHAT = 300e-9, 120e-6
"""A byte that is tokenised, and a conversation that is laid out for it."""
COLUMNAR, WORKING = Pace(byte=12e-9), Pace(row=20e-6, byte=100e-9)
"""Operators that do not say: columnar ones that are free, and those that take a processor."""


@dataclass(slots=True)
class Effort:
    """Work that was done so far."""

    # Whole nanoseconds: their sum is the same in whichever order steps on rows come to an end.
    _nanoseconds: int = 0

    @property
    def spent(self) -> float:
        """Seconds of a usual machine."""
        return self._nanoseconds / 1e9

    def add(self, seconds: float) -> None:
        """Note work."""
        self._nanoseconds += round(seconds * 1e9)

    def judging(self, specs: Iterable[CheckSpec], row: Mapping[str, Any]) -> None:
        """Note that checks were run on a row."""
        checks, size = load_catalog().checks, _size(row)
        self.add(JUDGING)
        for spec in specs:
            pace = checks[spec.kind].pace or WORKING
            self.add(pace.row + pace.byte * size)

    def stepping(self, node: PlanNode, rows: Iterable[Mapping[str, Any]]) -> None:
        """Note that a step on single rows was run on some, besides what it asked for."""
        pace = load_catalog().steps[node.op].pace or Pace(ROW)
        for row in rows:
            self.add(pace.row + pace.byte * _size(row))

    def streaming(self, node: PlanNode, rows: int, size: float) -> None:
        """Note that a columnar step was run on rows of so many bytes together."""
        operator = load_catalog().steps[node.op]
        pace = operator.pace or (COLUMNAR if operator.cost == "free" else WORKING)
        self.add(pace.row * rows + pace.byte * size)

    def tokenising(self, size: int, chats: int = 0) -> None:
        """Note that texts of so many bytes, or conversations, were counted."""
        self.add(TOKENISED * size + CHAT * chats)

    def counted(self, count: Count) -> Count:
        """A counter of tokens that notes its work."""

        def counting(texts: Sequence[str]) -> list[int]:
            self.tokenising(sum(map(len, texts)))
            return count(texts)

        return counting


class Patience:
    """How long something may take by the clock, where it takes far longer than it should."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + TIMES * seconds

    @property
    def out(self) -> bool:
        """Whether it took too long."""
        return time.monotonic() > self._end

    def limit(self) -> asyncio.Timeout:
        """A context that ends with `TimeoutError` when it takes too long."""
        return asyncio.timeout(max(0.0, self._end - time.monotonic()))


def _size(row: Mapping[str, Any]) -> int:
    """Bytes of a row's text, about."""
    return sum(len(v) for k, v in row.items() if isinstance(v, str) and not k.startswith("_"))
