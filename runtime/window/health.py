"""What a failure says: of the request, or of the engine; and whether to try again.

An outage costs no request a try: while an engine cannot be reached and nobody gets an answer,
requests wait and are sent again, until it answers or has been silent for too long. A request that
fails while others succeed is at fault itself, and is kept aside after some tries.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..requests import EngineError

TRIES = 10
TRIES_OF: Mapping[str, int] = {"timeout": 5}
"""Where each try is long. One in which nobody was answered counts half: the server may hang."""
FIRST_TRIES = 6
"""Tries of an engine that has never answered, which is then down."""
FIRST_WAIT = 0.25
LONGEST_WAIT = 30.0
DOWN_SECONDS = 600.0
"""Time without an answer after which an engine is down: long enough to load a model again."""
REFUSALS = 40
"""Refusals in a row, such as of a key, that mean the engine is down and not the request bad."""
POISONED = 3
"""Requests in a row that kill the engine all by themselves: then it is not they."""

LONGEST_ASKED = 600.0
"""The longest that a server may ask to be left alone."""

_STATUS = ("status-400", "status-413", "status-422")
NO_SIGN = frozenset({"overlong", "filtered", "request", "schema", "template", *_STATUS})
"""Faults of one request: no sign that the engine is down."""
BUSY = "status-429"
"""The fault of a server that is there, and has too much to do."""
OUTAGES = frozenset(
    {"connect", "reset", "crash", "memory", BUSY, *(f"status-{n}" for n in (502, 503, 504))}
)
"""Faults of an engine that is not there, for which no request can be blamed."""
GONE = OUTAGES - {"crash", "memory"}
"""Those of an engine that is not ours to start again: all we can do is to wait for it."""
GONE_AFTER = 5
"""Of these in a row, an engine is gone: then one request at a time asks whether it is back."""
LONGEST_PROBE = 5.0
"""Seconds between two such requests, at most."""
DEATHS: Mapping[str, int] = {"crash": 0, "memory": 0, "reset": 2, "half-reply": 2}
"""Faults that an engine dies with, and how many of them mean nothing: an engine in a process of
ours says that it died, a server far away may just have closed a connection."""


class EngineDownError(Exception):
    """An engine does not answer at all; the message says which and why."""


@dataclass(slots=True)
class Fare:
    """How a request has fared so far."""

    tries: float = 0
    """Those that count: made while the engine answered others."""
    seen: int = 0
    """Answers of the engine to anybody when it was last sent."""
    faults: dict[str, int] = field(default_factory=dict)
    wait: float = field(default_factory=lambda: FIRST_WAIT)

    @property
    def deaths(self) -> int:
        """How often the engine has died while this was in flight, as far as one can tell."""
        return sum(max(self.faults.get(kind, 0) - free, 0) for kind, free in DEATHS.items())


@dataclass(slots=True)
class Health:
    """What is known of an engine."""

    name: str
    answers: int = 0
    failures: int = 0
    """In a row, without an answer in between."""
    refusals: int = 0
    poisoned: int = 0
    gone: int = 0
    """Faults in a row that say that it is not there."""
    ill_since: float | None = None
    _wait: float = 0.0
    _waited: float = 0.0

    def answered(self) -> None:
        """Note an answer."""
        self.answers += 1
        self.failures = self.refusals = self.poisoned = self.gone = 0
        self.ill_since = None
        self._wait = 0.0

    @property
    def absent(self) -> bool:
        """Whether nobody need be asked but now and then, to see whether it is back."""
        return self.gone >= GONE_AFTER

    def probe_wait(self) -> float:
        """Seconds until it is asked whether it is back; longer each time."""
        now = time.monotonic()
        if now >= self._waited:  # those that fail together wait together
            self._wait = min(max(2 * self._wait, FIRST_WAIT), LONGEST_PROBE)
            self._waited = now + self._wait
        return self._wait * random.uniform(0.5, 1.0)

    def failed(self, error: EngineError, fare: Fare) -> float:
        """Note a failure.

        Returns:
            Seconds to wait before the next try.

        Raises:
            EngineError: It is of no use to try this request again.
            EngineDownError: It is of no use to ask this engine anything.
        """
        fare.faults[error.kind] = fare.faults.get(error.kind, 0) + 1
        self.gone = self.gone + 1 if error.kind in GONE else 0
        if error.kind not in NO_SIGN:
            self._note(error)
        if not error.retryable:
            raise error
        if fare.deaths > 2:
            self.poisoned += 1
            if self.poisoned >= POISONED:
                raise EngineDownError(f"{self.name} is down: {error}") from error
            raise EngineError(error.kind, f"{error}; this prompt alone does it", retryable=False)
        if error.kind not in OUTAGES or self.answers > fare.seen:
            fare.tries += 0.5 if error.kind == "timeout" and self.answers == fare.seen else 1
        fare.seen = self.answers
        if fare.tries >= TRIES_OF.get(error.kind, TRIES):
            raise error
        asked = min(error.retry_after or 0.0, LONGEST_ASKED)
        pause = max(asked, fare.wait * random.uniform(0.5, 1.5))
        fare.wait = min(fare.wait * 2, LONGEST_WAIT)
        return pause

    def _note(self, error: EngineError) -> None:
        now = time.monotonic()
        self.failures += 1
        self.refusals += not error.retryable
        self.ill_since = self.ill_since or now
        never = not self.answers and self.failures >= FIRST_TRIES and error.kind != BUSY
        first = never and (not error.retryable or now - self.ill_since >= self._first_seconds)
        silent = self.failures >= FIRST_TRIES and now - self.ill_since >= DOWN_SECONDS
        if first or silent or self.refusals >= REFUSALS:
            raise EngineDownError(f"{self.name} is down: {error}") from error

    @property
    def _first_seconds(self) -> float:
        """How long an engine that never answered is asked: as long as one request tries."""
        return FIRST_WAIT * float(2 ** (FIRST_TRIES - 1) - 1) * 0.75
