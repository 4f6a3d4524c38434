"""The ladder: what is tried, in order, until a reply passes or nothing is left to try."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..compiler.whitespace import trim_reply
from .outcome import Attempt, Unit, UnitEnd
from .requests import Message, begun_of
from .specs import check_specs as check_specs
from .tools import Tools
from .verdict import Row, Verdict

if TYPE_CHECKING:
    from .checkpool import CheckSpec
    from .ledger import Entry
    from .replies import Read

Ladder = Sequence[Mapping[str, Any]]
"""The rungs of a definition, in order."""

STRIDE = 1 << 20
"""Draws count samples first: attempt `a` of sample `s` is draw `a * STRIDE + s`, so that asking for
more samples or more attempts leaves the draws that are paid for as they are."""
REPAIRS = 1 << 16
"""The first attempt that is a repair: they are counted apart, so that more retries before them
leave them as they are, and a repair that asks what was asked before meets no earlier reply."""


def rungs_tried(ladder: Ladder, failed: Callable[[], str]) -> Iterator[int]:
    """The place of the rung that has each further attempt made, up to the ladder's end.

    A rung whose `for:` does not name what the last attempt failed for is left, for the next one
    below it. None is come back to.
    """
    for number, rung in enumerate(ladder):
        for _ in range(rung.get("times", 0)):
            if rung["for"] and failed() not in rung["for"]:
                break
            yield number


def last_rung(ladder: Ladder) -> str:
    """What happens when nothing passes: fallback, route or reject."""
    last = str(ladder[-1]["rung"]) if ladder else ""
    return last if last in ("fallback", "route") else "reject"


async def settle(
    tools: Tools,
    messages: tuple[Message, ...],
    row_with: Callable[[str], Row],
    *,
    source: str,
    sampling: Mapping[str, Any],
    ladder: Ladder,
    checks: tuple[CheckSpec, ...],
    sample: int = 0,
    read: Read | None = None,
) -> Unit:
    """Ask until a reply passes.

    Args:
        tools: Of the step.
        messages: The rendered prompt.
        row_with: The row that checks see, given a reply.
        source: The text that the prompt was made from; what a fallback puts back.
        sampling: Of the first attempt.
        ladder: Rungs in order.
        checks: In order; the first that fails decides.
        sample: Number of the sample.
        read: Reads a reply by its shape; None where every text will do.

    Returns:
        The unit, with every attempt.

    Raises:
        EngineError: Infrastructure failed for good; the row is an error and not a rejection.
        RenderError: The prompt of a repair cannot be rendered.
    """
    unit = _Climb(tools, messages, row_with, sampling, ladder, checks, sample, read)
    # Each further pass goes on with the draws after the last one, so none is paid for twice.
    for _ in range(tools.passes):
        if not await unit.ask("", sampling):
            for number in rungs_tried(ladder, lambda: unit.attempts[-1].failed):
                if await unit.try_rung(number):
                    break
        if not unit.attempts[-1].failed:
            last = unit.attempts[-1]
            return Unit(source, messages, tuple(unit.attempts), "accepted", last.text, unit.values)
    ends: dict[str, UnitEnd] = {"fallback": "fallback", "route": "routed", "reject": "rejected"}
    end = ends[last_rung(ladder)]
    return Unit(source, messages, tuple(unit.attempts), end, source if end == "fallback" else None)


class _Climb:
    """One unit on its way down the ladder."""

    def __init__(
        self,
        tools: Tools,
        messages: tuple[Message, ...],
        row_with: Callable[[str], Row],
        sampling: Mapping[str, Any],
        ladder: Ladder,
        checks: tuple[CheckSpec, ...],
        sample: int,
        read: Read | None,
    ) -> None:
        self.attempts: list[Attempt] = []
        self.values: Mapping[str, Any] | None = None
        """What was read of the last reply, if a repair made it."""
        self._tools, self._messages, self._row_with = tools, messages, row_with
        self._sampling, self._ladder, self._checks = sampling, ladder, checks
        self._sample, self._read = sample, read
        self._asked = self._repaired = 0

    async def try_rung(self, number: int) -> bool:
        """Make the attempt that a rung asks for; whether it passed."""
        rung = self._ladder[number]
        if rung["rung"] == "repair":
            return await self.repair(number)
        return await self.ask("retry", {**self._sampling, **rung["sampling"]})

    async def ask(self, rung: str, sampling: Mapping[str, Any]) -> bool:
        """Ask the step's own prompt; whether the reply passed."""
        draw = self._asked * STRIDE + self._sample
        self._asked += 1
        entry = await self._tools.ask(self._messages, sampling, draw)
        self.values = None
        text = text_of(entry.text, self._messages, self._read)
        return await self._judge(replied(entry, draw, rung, text), self._read)

    async def repair(self, number: int) -> bool:
        """Ask for a repair of the last reply; whether what comes passed.

        One that is too long for the context of its model is not asked for.
        """
        repair, failure = self._tools.repairs[number], self.attempts[-1]
        row = {**self._row_with(failure.text), **(self.values or {})}
        messages = repair.messages(row, failure)
        if not repair.fits(messages):
            return False
        draw = (REPAIRS + self._repaired) * STRIDE + self._sample
        self._repaired += 1
        entry = await repair.ask(messages, draw)
        read = repair.reader(messages) if self._read is not None else None
        text = text_of(entry.text, messages, read)
        self.values = dict(read(text).values) if read else None
        return await self._judge(replied(entry, draw, "repair", text, messages), read)

    async def _judge(self, attempt: Attempt, read: Read | None) -> bool:
        attempt = misfit(attempt, read)
        if not attempt.failed and self._checks:
            row = {**self._row_with(attempt.text), **(self.values or {})}
            attempt = judged(attempt, self._checks, await self._tools.judge(self._checks, row))
        self.attempts.append(attempt)
        return not attempt.failed


def text_of(reply: str, messages: Sequence[Message], read: Read | None) -> str:
    """A model's reply as it is read and shown: an indent stays, other white space around it goes.

    Args:
        reply: As the engine gave it.
        messages: What was asked. Where a reply is read behind what they begin of it, the space
            between the two is the model's and stays.
        read: How it is read; None where it is taken as it stands.
    """
    if not begun_of(messages):
        return trim_reply(reply)
    return trim_reply(reply, inside_line=True) if read is None else reply.rstrip()


def replied(
    entry: Entry, draw: int, rung: str, text: str, messages: tuple[Message, ...] = ()
) -> Attempt:
    """An attempt that has its reply, `text` of it, and has not been looked at."""
    return Attempt(draw, entry.key.hex(), text, entry.finish, rung=rung, messages=messages)


def misfit(attempt: Attempt, read: Read | None) -> Attempt:
    """An attempt that fails where its reply is cut off, empty or not of the declared shape."""
    if attempt.finish == "length":
        return replace(attempt, failed="truncated", reason="truncated")
    attempt = replace(attempt, finish="stop")
    if not attempt.text:
        return replace(attempt, failed="empty", reason="empty")
    if read is not None and (lack := read(attempt.text).misfit):
        return replace(attempt, failed="unparsed", reason="unparsed", evidence=lack)
    return attempt


def judged(
    attempt: Attempt, checks: tuple[CheckSpec, ...], verdicts: tuple[Verdict, ...]
) -> Attempt:
    """An attempt with what its checks found."""
    attempt = replace(attempt, calls=tuple(key for v in verdicts for key in v.calls))
    if not verdicts or verdicts[-1].passed:
        return attempt
    bad, name = verdicts[-1], checks[len(verdicts) - 1].name
    return replace(attempt, failed=name, reason=bad.reason or name, evidence=bad.evidence)
