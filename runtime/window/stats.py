"""What went through a window."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class WindowStats:
    """Counts over a run; times in seconds.

    Attributes:
        sent: Requests sent, retries among them.
        reused: Requests that the ledger answered.
        shared: Requests that met an equal one in flight.
        retried: Requests sent again after a fault.
        failed: Requests that failed for good.
        hidden_tokens: Of `completion_tokens`, those that the text does not show: thoughts.
        queued: Time that requests waited for their turn, added up.
        under_way: Time between sending and reply, added up.
        at_work: Time in which at least one request was under way, up to when none was last.
        working: Whether one is.
    """

    sent: int = 0
    reused: int = 0
    shared: int = 0
    retried: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    hidden_tokens: int = 0
    queued: float = 0.0
    under_way: float = 0.0
    busy_since: float | None = None
    busy_until: float = 0.0
    at_work: float = 0.0
    at_work_since: float = 0.0
    working: bool = False

    @property
    def seconds(self) -> float:
        """Wall time between the first request sent and the last reply."""
        return max(self.busy_until - self.busy_since, 0.0) if self.busy_since else 0.0

    @property
    def busy(self) -> float:
        """Seconds in which at least one request was under way, up to the last reply."""
        now = self.busy_until - self.at_work_since if self.working else 0.0
        return self.at_work + max(now, 0.0)
