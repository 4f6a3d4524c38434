"""Whether a server is there: down after some failures in a row, then asked again now and then.

A circuit breaker (Nygard, "Release It!", 2007) per server: closed, open, and half-open, in which
one real request is the probe.
"""

from __future__ import annotations

FAILURES = 5
"""In a row: a server that fails one request in ten does not look dead for that."""
FIRST_BACKOFF = 0.25
"""Seconds until a server that is down is asked again …"""
LONGEST_BACKOFF = 15.0
"""… and the most, after doubling each time."""


class Health:
    """What is known of one server. Times are seconds of one clock, which the caller reads."""

    def __init__(self) -> None:
        self._failures = 0
        self._backoff = 0.0
        self.down = False
        self.probing = False
        self.probe_at = 0.0
        """When it may be asked again, while it is down."""

    def admits(self, now: float) -> bool:
        """Whether a request may be sent: always while up, one at a time when a probe is due."""
        return not self.down or (not self.probing and now >= self.probe_at)

    def sent(self) -> bool:
        """A request goes out; returns whether it is a probe."""
        self.probing = self.down
        return self.down

    def answered(self) -> None:
        """It is there, whatever it said."""
        self.down = self.probing = False
        self._failures = 0
        self._backoff = 0.0

    def failed(self, now: float, *, probe: bool) -> None:
        """A request found nobody, or nobody in working order."""
        self._failures += 1
        if self.down and not probe:
            return  # It was sent before, and tells nothing new.
        if probe or self._failures >= FAILURES:
            self._backoff = min(max(self._backoff * 2, FIRST_BACKOFF), LONGEST_BACKOFF)
            self.probe_at = now + self._backoff
            self.down, self.probing = True, False

    def dropped(self, *, probe: bool) -> None:
        """Nobody waits for the request any more, and it said nothing."""
        if probe:
            self.probing = False
