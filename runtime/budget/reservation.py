"""What is set aside for one request, and whether a request that failed was paid for."""

from __future__ import annotations

from dataclasses import dataclass

from .amounts import Price
from .gauge import Gauge

_UNPAID = frozenset({"connect", "tls", "address", "closed", "load", "overlong"})
"""Kinds of fault of a request that was never taken on, beside refusals by status."""


def is_lost(kind: str) -> bool:
    """Whether after a fault of this kind the server may have written, and billed, all of it."""
    return kind not in _UNPAID and not kind.startswith("status-")


@dataclass(slots=True)
class Reservation:
    """What is set aside for one request, under caps of the run and of its step."""

    gauges: tuple[Gauge, ...]
    needs: tuple[int, ...]
    price: Price
    open: bool = True

    def short(self) -> Gauge | None:
        """The first cap that leaves it no room now."""
        for gauge, need in zip(self.gauges, self.needs, strict=True):
            if gauge.taken + need > gauge.limit:
                return gauge
        return None

    def hopeless(self) -> Gauge | None:
        """The first cap that leaves it no room even if all that is out turned out free."""
        for gauge, need in zip(self.gauges, self.needs, strict=True):
            if gauge.spent + need > gauge.limit:
                return gauge
        return None
