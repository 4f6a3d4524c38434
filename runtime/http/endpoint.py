"""One server: what is in flight there, how much it bears, and whether it is there at all."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..requests import Completion, EngineError
from .bucket import Bucket
from .health import Health
from .limit import Limit

LONGEST_PAUSE = 60.0
"""Seconds: a server that asks for more is asked again after these, by very few requests."""
_REFUSED = frozenset({"status-429", "status-503", "timeout"})
"""It has too much to do."""
_UNREAD = frozenset({"connect", "status-429", "status-503"})
"""It has not even begun, and used no tokens."""
_ABSENT = frozenset({"connect", "reset", "half-reply", "timeout"})
"""Nobody was there, or went away."""


@dataclass(slots=True)
class Endpoint:
    """A server and what is known of it. Times are seconds of one clock, which the caller reads."""

    address: str
    limit: Limit
    health: Health = field(default_factory=Health)
    in_flight: int = 0
    paused_until: float = 0.0
    trouble: str = ""
    """What the last sign of its absence said."""

    @property
    def load(self) -> float:
        """What is in flight, as a share of what may be."""
        return self.in_flight / self.limit.now

    def admits(self, now: float) -> bool:
        """Whether a request may be sent."""
        return (
            self.in_flight < self.limit.now and now >= self.paused_until and self.health.admits(now)
        )

    def send(self) -> Permit:
        """Count a request that is sent."""
        self.in_flight += 1
        return Permit(self, self.limit.sent(self.in_flight), self.health.sent())

    def opens_at(self, now: float) -> float | None:
        """When it may admit again without anything coming back; None if that is not known."""
        if self.in_flight >= self.limit.now or (self.health.down and self.health.probing):
            return None
        return max(self.paused_until, self.health.probe_at if self.health.down else now)


@dataclass(slots=True)
class Permit:
    """Leave to send one request to one server."""

    endpoint: Endpoint
    number: int
    probe: bool
    cost: float = 0.0
    """Tokens reserved for it …"""
    tokens: Bucket | None = None
    """… and where."""
    waited: float = 0.0
    """Seconds until it was given."""

    def replied(self, completion: Completion, seconds: float) -> None:
        """It came back whole."""
        self.endpoint.in_flight -= 1
        self.endpoint.health.answered()
        self.endpoint.limit.replied(seconds, completion.completion_tokens)
        if self.tokens is not None:
            self.tokens.give(self.cost - completion.prompt_tokens - completion.completion_tokens)

    def failed(self, error: EngineError, now: float) -> None:
        """It did not."""
        endpoint = self.endpoint
        endpoint.in_flight -= 1
        kind = error.kind
        if kind in _UNREAD and self.tokens is not None:
            self.tokens.give(self.cost)
        if kind in _REFUSED:
            endpoint.limit.refused(self.number)
        if self._absent(kind):
            endpoint.trouble = str(error)
            endpoint.health.failed(now, probe=self.probe)
        else:
            endpoint.health.answered()
        # One refusal among many replies speaks for its own request, which waits so long anyway.
        if error.retry_after and (endpoint.limit.refusing or 0.0) >= 0.5:
            until = now + min(error.retry_after, LONGEST_PAUSE)
            endpoint.paused_until = max(endpoint.paused_until, until)

    def _absent(self, kind: str) -> bool:
        """Whether a failure is a sign that nobody is there, or nobody in working order."""
        if kind == "status-503":  # Too much to do, unless it refuses even a single request.
            return self.probe or self.endpoint.limit.now == 1
        return kind in _ABSENT or kind.startswith("status-5")

    def dropped(self) -> None:
        """Nobody waits for it any more."""
        self.endpoint.in_flight -= 1
        self.endpoint.health.dropped(probe=self.probe)
