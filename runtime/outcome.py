"""What came of a row: rows that go on or an aside with its reason, and which calls led there."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from .requests import Message

End = Literal["out", "rejected", "routed", "error", "pending"]
UnitEnd = Literal["accepted", "fallback", "routed", "rejected", "kept"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One draw and what was found wrong with it; `failed` is empty if nothing was."""

    draw: int
    key: str
    text: str
    finish: str
    failed: str = ""
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unit:
    """What a model was asked about once: a row, a sample of it or a chunk.

    Attributes:
        source: The text it was given.
        messages: The rendered prompt.
        attempts: In order of draws.
        end: accepted; fallback (the input stands); kept (not prose, never asked); routed; rejected.
        text: What goes on, None if nothing does.
    """

    source: str
    messages: tuple[Message, ...]
    attempts: tuple[Attempt, ...]
    end: UnitEnd
    text: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a model step or a check makes of one row."""

    end: End
    rows: tuple[Mapping[str, Any], ...] = ()
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    units: tuple[Unit, ...] = ()


T = TypeVar("T")


async def all_of(works: Iterable[Awaitable[T]]) -> list[T]:
    """The results of works that run side by side; none is left running where one of them raises."""
    import asyncio

    done = await asyncio.gather(*works, return_exceptions=True)
    for one in done:
        if isinstance(one, BaseException):
            raise one
    return [one for one in done if not isinstance(one, BaseException)]
