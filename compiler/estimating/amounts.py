"""What is still to be paid for, as replicates, and what it comes to in dollars and hours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .chance import full, number, rounded
from .estimates import Spending
from .numbers import NOTHING, UNKNOWN, Basis, Number, weakest

if TYPE_CHECKING:
    from .chance import Array


@dataclass(frozen=True, slots=True)
class Amount:
    """Replicates of one amount, where it came from, and the most that it can be."""

    values: Array | None
    basis: Basis
    most: float | None

    def number(self) -> Number:
        """Its value and interval."""
        return number(self.values, self.basis) if self.values is not None else UNKNOWN

    def worst(self) -> Number:
        """The most that it can be."""
        return UNKNOWN if self.most is None else Number(rounded(self.most), "e")


NONE = Amount(None, "?", None)


def nothing() -> Amount:
    """None of it."""
    return Amount(full(0.0), "e", 0.0)


def added(amounts: Iterable[Amount]) -> Amount:
    """The sum; unknown if any of them is."""
    values, basis, most = full(0.0), list[Basis](), 0.0
    known = bounded = True
    for amount in amounts:
        basis.append(amount.basis)
        if amount.values is None:
            known = False
        else:
            values = values + amount.values
        if amount.most is None:
            bounded = False
        else:
            most += amount.most
    if not known:
        return Amount(None, "?", most if bounded else None)
    return Amount(values, weakest(*basis), most if bounded else None)


@dataclass(frozen=True, slots=True)
class Amounts:
    """Calls, tokens, dollars and GPU-hours."""

    calls: Amount
    prompt: Amount
    reply: Amount
    usd: Amount
    hours: Amount

    def spending(self) -> Spending:
        """As estimates hold it."""
        return Spending(
            calls=self.calls.number(),
            prompt_tokens=self.prompt.number(),
            reply_tokens=self.reply.number(),
            usd=_or_nothing(self.usd),
            gpu_hours=_or_nothing(self.hours),
            worst_calls=self.calls.worst(),
            worst_prompt=self.prompt.worst(),
            worst_reply=self.reply.worst(),
            worst_usd=self.usd.worst(),
            worst_hours=self.hours.worst(),
        )


def _or_nothing(amount: Amount) -> Number:
    free = amount.values is not None and not amount.values.any()
    return NOTHING if free and amount.basis == "e" else amount.number()


def together(parts: Iterable[Amounts]) -> Amounts:
    """What several models, or several steps, cost together."""
    listed = list(parts)
    return Amounts(
        *(
            added(getattr(part, name) for part in listed)
            for name in ("calls", "prompt", "reply", "usd", "hours")
        )
    )
