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
    """One draw and what was found wrong with it; `failed` is empty if nothing was.

    Attributes:
        draw: Its number.
        key: Of the completion, in hex; empty where nothing was asked.
        text: The reply.
        finish: How it ended.
        failed: The check that it failed, or what was wrong with its form.
        reason: Why.
        evidence: What shows it.
        rung: What had it made: empty for the first, `retry` or `repair`.
        calls: Keys of the completions that its checks rest on.
        messages: What was asked, where that is not what the unit was asked first.
    """

    draw: int
    key: str
    text: str
    finish: str
    failed: str = ""
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    rung: str = ""
    calls: tuple[str, ...] = ()
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Unit:
    """What a model was asked about once: a row, a sample of it or a chunk.

    Attributes:
        source: The text it was given.
        messages: The rendered prompt.
        attempts: In order of draws.
        end: accepted; fallback (the input stands); kept (not prose, never asked); routed; rejected.
        text: What goes on, None if nothing does.
        values: What was read of it, where that is not to be read again by the step's own prompt.
    """

    source: str
    messages: tuple[Message, ...]
    attempts: tuple[Attempt, ...]
    end: UnitEnd
    text: str | None
    values: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a model step or a check makes of one row.

    Attributes:
        end: Where it goes.
        rows: What goes there.
        reason: Why it went aside.
        evidence: What shows it.
        units: What a model was asked about.
        calls: Keys of the completions that checks of the row as a whole rest on.
    """

    end: End
    rows: tuple[Mapping[str, Any], ...] = ()
    reason: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    units: tuple[Unit, ...] = ()
    calls: tuple[str, ...] = ()


T = TypeVar("T")


async def all_of(works: Iterable[Awaitable[T]]) -> list[T]:
    """The results of works that run side by side; none is left running where one of them raises."""
    import asyncio

    done = await asyncio.gather(*works, return_exceptions=True)
    for one in done:
        if isinstance(one, BaseException):
            raise one
    return [one for one in done if not isinstance(one, BaseException)]
