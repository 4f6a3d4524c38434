"""How fast a model replies while it has enough to do: a short run is mostly ramp-up and tail."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..ledger import Entry
    from ..requests import Message
    from ..tools import Line

BUSY = 0.8
"""Share of the most requests under way, from which on an engine counts as busy."""
SHORTEST = 1e-4
"""Seconds that a reply takes at least."""

Span = tuple[float, float, int]
"""Of a reply: when it was begun, when it was there, and its tokens."""


@dataclass(frozen=True, slots=True)
class Steady:
    """What a model did while it was busy.

    Attributes:
        reply: Reply tokens a second.
        seconds: How long it was busy.
        requests: Replies that were, wholly or in part, written then.
    """

    reply: float
    seconds: float
    requests: int


@dataclass(slots=True)
class Pace:
    """Notes when replies come; handed to `Execution.tools` to listen beside each model."""

    since: float = field(default_factory=time.time)
    spans: dict[str, dict[bytes, Span]] = field(default_factory=lambda: defaultdict(dict))

    def beside(self, model: str, line: Line) -> Line:
        """The same line, listened to."""

        async def ask(
            messages: tuple[Message, ...], sampling: Mapping[str, Any], draw: int
        ) -> Entry:
            entry = await line.ask(messages, sampling, draw)
            if entry.time >= self.since:  # no older one of the ledger
                begun = entry.time - max(entry.seconds, SHORTEST)
                self.spans[model][entry.key] = (begun, entry.time, entry.completion_tokens)
            return entry

        return replace(line, ask=ask)

    def steady(self, model: str) -> Steady | None:
        """What a model did while it was busy; None if it was not asked."""
        return steady(list(self.spans[model].values())) if model in self.spans else None


def steady(spans: Sequence[Span]) -> Steady | None:
    """The part of some replies in which nearly as many as ever were under way at once.

    The tokens of a reply are taken to come evenly while it is under way.
    """
    if not spans:
        return None
    turns = sorted(
        [(begun, 1, tokens / (ended - begun)) for begun, ended, tokens in spans]
        + [(ended, -1, -tokens / (ended - begun)) for begun, ended, tokens in spans]
    )
    pieces: list[tuple[float, float, int, float]] = []
    active, rate = 0, 0.0
    for (at, change, more), (after, _, _) in pairwise(turns):
        active, rate = active + change, rate + more
        pieces.append((at, after, active, rate))
    most = max(p[2] for p in pieces)
    busy = [p for p in pieces if p[2] >= BUSY * most]
    seconds = sum(after - at for at, after, _, _ in busy)
    tokens = sum((after - at) * rate for at, after, _, rate in busy)
    first, last = busy[0][0], busy[-1][1]
    requests = sum(begun < last and ended > first for begun, ended, _ in spans)
    return Steady(tokens / seconds, seconds, requests) if seconds > 0 else None
