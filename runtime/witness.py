"""What is seen of a row while it is traced: every reply, and every verdict, passing ones too."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .checkpool import CheckSpec
from .ledger import Entry
from .requests import Message
from .tools import Line, Tools
from .tracing import Stop
from .verdict import Row, Verdict


@dataclass(slots=True)
class Witness:
    """What a step asked and what its checks found for one row, passing ones too.

    A step asks and judges one unit in one task, so the verdicts that follow a reply are its own.
    """

    calls: dict[str, Entry] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    """Who was asked, by the same keys."""
    verdicts: dict[str, tuple[tuple[str, Verdict], ...]] = field(default_factory=dict)
    _last: dict[asyncio.Task[Any] | None, str] = field(default_factory=dict)
    _judging: set[asyncio.Task[Any] | None] = field(default_factory=set)
    """Tasks in which checks ask: their replies are judged by nobody."""

    def beside(self, model: str, line: Line) -> Line:
        """The same line to a model, listened to."""

        async def ask(
            messages: tuple[Message, ...], sampling: Mapping[str, Any], draw: int
        ) -> Entry:
            entry = await line.ask(messages, sampling, draw)
            key, task = entry.key.hex(), asyncio.current_task()
            self.calls[key], self.models[key] = entry, model
            if task not in self._judging:
                self._last[task] = key
            return entry

        return replace(line, ask=ask)

    def watching(self, tools: Tools) -> Tools:
        """The same tools, their verdicts looked at."""

        async def judge(checks: tuple[CheckSpec, ...], row: Row) -> tuple[Verdict, ...]:
            task = asyncio.current_task()
            key = self._last.get(task, "")
            self._judging.add(task)
            try:
                found = await tools.judge(checks, row)
            finally:
                self._judging.discard(task)
            named = tuple((c.name, v) for c, v in zip(checks, found, strict=False))
            self.verdicts[key] = (*self.verdicts.get(key, ()), *named)
            return found

        return replace(tools, judge=judge)


@dataclass(frozen=True, slots=True)
class Shown:
    """A document and what became of it.

    Attributes:
        doc: Its `_doc`.
        source: The source's name.
        row: As it came from the source.
        stops: What each step made of its rows, in the order of the plan.
        witnesses: What was asked and found, by step and the `_id` of the row.
    """

    doc: str
    source: str
    row: Mapping[str, Any]
    stops: tuple[Stop, ...]
    witnesses: Mapping[tuple[str, str], Witness]

    @property
    def asked(self) -> bool:
        """Whether a model was asked about it, or would have been."""
        return any(s.step.asked for s in self.stops)

    def witness(self, stop: Stop) -> Witness:
        """What was asked and found at a stop."""
        return self.witnesses.get((stop.step.name, str(stop.row["_id"])), Witness())
