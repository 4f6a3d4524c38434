"""Time as a cap: how long the run has been going, and how long its own hardware was up.

The clock is the monotonic one: setting the computer's clock, or summer time, changes nothing.
Caps on time stop admission; what is in flight then still comes in, and that overshoot is told.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ...compiler.budgets import OWN_HARDWARE


@dataclass(slots=True)
class Deadline:
    """The time of one run.

    Attributes:
        gpus: How many GPUs stand ready while an engine is up.
        now: Seconds, from any start, never backwards.
    """

    gpus: int = 1
    now: Callable[[], float] = time.monotonic
    _started: float = field(init=False)
    _up: int = 0
    _since: float = 0.0
    _busy: float = 0.0

    def __post_init__(self) -> None:
        self._started = self.now()

    def engine_up(self, engine: str) -> None:
        """An engine begins to load; hosted ones and `fake` hold no hardware of ours."""
        if engine in OWN_HARDWARE:
            if not self._up:
                self._since = self.now()
            self._up += 1

    def engine_down(self, engine: str) -> None:
        """It has been closed."""
        if engine in OWN_HARDWARE and self._up:
            self._up -= 1
            if not self._up:
                self._busy += self.now() - self._since

    @property
    def up(self) -> bool:
        """Whether an engine holds hardware of ours."""
        return self._up > 0

    def wall(self) -> int:
        """Milliseconds since the run began."""
        return int((self.now() - self._started) * 1000)

    def gpu(self) -> int:
        """GPU-milliseconds: GPUs times the time in which at least one engine was up."""
        busy = self._busy + (self.now() - self._since if self._up else 0.0)
        return int(busy * 1000) * self.gpus
