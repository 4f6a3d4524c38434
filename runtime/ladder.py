"""The ladder: what is tried, in order, until a reply passes or nothing is left to try."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from .outcome import Attempt, Unit, UnitEnd
from .requests import Message
from .tools import Tools
from .verdict import Row

if TYPE_CHECKING:
    from .checkpool import CheckSpec
    from .replies import Read

STRIDE = 1 << 20
"""Draws count samples first: attempt `a` of sample `s` is draw `a * STRIDE + s`, so that asking for
more samples or more attempts leaves the draws that are paid for as they are."""


def check_specs(checks: Sequence[Mapping[str, Any]]) -> tuple[CheckSpec, ...]:
    """Checks of a definition, ready for the pool."""
    from .checkpool import CheckSpec

    return tuple(
        CheckSpec(
            c["name"], c["kind"], tuple(sorted((k, _frozen(v)) for k, v in c["params"].items()))
        )
        for c in checks
    )


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(v) for v in value)
    if isinstance(value, dict):
        return tuple(sorted((k, _frozen(v)) for k, v in value.items()))
    return value


def samplings(
    first: Mapping[str, Any], ladder: Sequence[Mapping[str, Any]], failed: Callable[[], str]
) -> Iterator[Mapping[str, Any]]:
    """Sampling of each attempt that the ladder allows, given what the last one failed for."""
    yield first
    for rung in ladder:
        if rung["rung"] != "retry":
            return
        for _ in range(rung["times"]):
            if rung["for"] and failed() not in rung["for"]:
                break
            yield {**first, **rung["sampling"]}


def last_rung(ladder: Sequence[Mapping[str, Any]]) -> str:
    """What happens when nothing passes: fallback, route or reject."""
    return str(ladder[-1]["rung"]) if ladder and ladder[-1]["rung"] != "retry" else "reject"


async def settle(
    tools: Tools,
    messages: tuple[Message, ...],
    row_with: Callable[[str], Row],
    *,
    source: str,
    sampling: Mapping[str, Any],
    ladder: Sequence[Mapping[str, Any]],
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
    """
    attempts: list[Attempt] = []
    # Each further pass goes on with the draws after the last one, so none is paid for twice.
    passes = chain.from_iterable(
        samplings(sampling, ladder, lambda: attempts[-1].failed) for _ in range(tools.passes)
    )
    for number, drawn in enumerate(passes):
        draw = number * STRIDE + sample
        entry = await tools.ask(messages, drawn, draw)
        text = entry.text.strip()
        key = entry.key.hex()
        if entry.finish == "length":
            attempts.append(Attempt(draw, key, text, "length", "truncated", "truncated"))
            continue
        if not text:
            attempts.append(Attempt(draw, key, text, "stop", "empty", "empty"))
            continue
        if read is not None and (misfit := read(text).misfit):
            attempts.append(Attempt(draw, key, text, "stop", "unparsed", "unparsed", misfit))
            continue
        verdicts = await tools.judge(checks, row_with(text)) if checks else ()
        if not verdicts or verdicts[-1].passed:
            attempts.append(Attempt(draw, key, text, "stop"))
            return Unit(source, messages, tuple(attempts), "accepted", text)
        bad = verdicts[-1]
        name = checks[len(verdicts) - 1].name
        attempts.append(Attempt(draw, key, text, "stop", name, bad.reason or name, bad.evidence))
    ends: dict[str, UnitEnd] = {"fallback": "fallback", "route": "routed", "reject": "rejected"}
    end = ends[last_rung(ladder)]
    return Unit(source, messages, tuple(attempts), end, source if end == "fallback" else None)
