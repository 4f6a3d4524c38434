"""So much a minute, without a burst at its start."""

from __future__ import annotations

BURST_SECONDS = 1.0
"""What may be spent at once, as seconds of the rate."""


class Bucket:
    """A token bucket (Turner, "New directions in communications", 1986).

    It holds what one second brings, so that use is even: within any `t` seconds, no more than
    `t + 1` seconds' worth is taken. What costs more than it can hold goes when it is full, and
    the debt is paid off before the next.

    Times are seconds of one clock, which the caller reads.
    """

    def __init__(self, per_minute: float, now: float) -> None:
        self.rate = per_minute / 60
        self.most = max(self.rate * BURST_SECONDS, 1.0)
        self._level = self.most
        self._at = now

    def wait(self, cost: float, now: float) -> float:
        """Seconds until `cost` may be taken; 0 for now."""
        self._fill(now)
        missing = min(cost, self.most) - self._level
        # A thousandth of a unit is forgiven: clocks round.
        return missing / self.rate if missing > 0.001 else 0.0

    def take(self, cost: float) -> None:
        """Spend; to be asked for by `wait` before."""
        self._level -= cost

    def give(self, cost: float) -> None:
        """Give back what was not needed, or, below zero, take what was needed beyond."""
        self._level = min(self._level + cost, self.most)

    def _fill(self, now: float) -> None:
        self._level = min(self._level + (now - self._at) * self.rate, self.most)
        self._at = now
