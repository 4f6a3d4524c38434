"""The purse of a run without a cap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..requests import Completion
from .amounts import FREE
from .deadline import Deadline
from .gauge import Gauge
from .reservation import Reservation

_FREELY = Reservation((), (), FREE, open=False)


@dataclass(slots=True)
class NoPurse:
    """The purse of a run without a cap: admits all and counts nothing."""

    clock: Deadline = field(default_factory=Deadline)
    gauges: Mapping[str, Gauge] = field(default_factory=dict)
    overshoot: Mapping[str, int] = field(default_factory=dict)
    waiting: int = 0

    async def reserve(
        self, step: str, model: str, input_tokens: int, max_tokens: int
    ) -> Reservation:
        """See `Purse`."""
        return _FREELY

    def settle(
        self, reservation: Reservation, completion: Completion | None = None, *, lost: bool = False
    ) -> None:
        """See `Purse`."""

    def release(self, reservation: Reservation) -> None:
        """See `Purse`."""

    def late(self) -> None:
        """See `Purse`."""

    def seconds_left(self) -> None:
        """See `Purse`."""

    def close(self) -> None:
        """See `Purse`."""
