"""The calls that one unit of a step asks for, sort by sort: first attempts, rungs, checks.

A unit is what a model is asked about once (a row, a sample of it, a chunk); where a step has no
model of its own, it is a row that is judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..plan import PlanNode
    from .facts import NodeFacts

REPLY_TOKENS, REPLY_SPREAD = 250.0, 1.0
"""Tokens of a reply of `generate` on average, likewise, before it is cut off at `max_tokens`: half
of the replies are below 150, nine of ten between 30 and 780."""
JUDGED_TOKENS = 40.0
"""The same of a reply to a check, which is mostly marks."""
REWRITE_SHARE, REWRITE_SPREAD = 1.0, 0.5
"""Tokens of a rewrite by token of its text, likewise."""


@dataclass(frozen=True, slots=True)
class Call:
    """Calls of one sort.

    Attributes:
        model: Who is asked.
        expected: How many a unit is expected to ask for.
        most: How many it may ask for.
        prompt: Tokens of each prompt; None where they are not known.
        reply: Tokens of each reply, as expected if nothing cuts it off.
        longest: Tokens of each reply at most.
        first: Whether it is the first attempt, which every unit makes.
        longest_prompt: Tokens of each prompt at most, where that is more than `prompt`.
    """

    model: str
    expected: float
    most: float
    prompt: float | None
    reply: float
    longest: float
    first: bool = False
    longest_prompt: float | None = None


def most_tries(ladder: Sequence[Mapping[str, Any]]) -> int:
    """How often a unit is judged at most: what came first, and what each rung makes of it."""
    return 1 + sum(int(rung.get("times", 0)) for rung in ladder)


def accepted(node: PlanNode, share: float) -> float:
    """Share of units that pass in the end, with so many passing at each try."""
    return float(1 - (1 - share) ** most_tries(rungs(node)))


def may_drop(node: PlanNode) -> bool:
    """Whether a row can be lost to the checks of a step: an audit loses none."""
    return node.drops and node.definition["params"].get("mode") != "audit"


def rungs(node: PlanNode) -> Sequence[Mapping[str, Any]]:
    """The ladder of a step."""
    found: Sequence[Mapping[str, Any]] = node.definition["params"].get("on_fail") or ()
    return found


def calls_of(node: PlanNode, seen: NodeFacts, share: float) -> list[Call]:
    """All calls that a unit may ask for, in order.

    Args:
        node: The step.
        seen: What the sample showed of it.
        share: Of replies (of rows, where nobody replies) that pass.
    """
    return [*_attempts(node, seen, share), *_judging(node, seen, share)]


def _attempts(node: PlanNode, seen: NodeFacts, passing: float) -> Iterator[Call]:
    """The first attempt, and what rungs ask for: each reached by what the ones before failed."""
    params = node.definition["params"]
    units = seen.reached.of("units") if seen.reached else None
    asked = seen.reached.of("prompt") if seen.reached else None
    prompt = asked / units if asked is not None and units else None
    source = seen.reached.of("source") if seen.reached else None
    rewritten = source / units if source and units else 0.0

    def call(model: str, tried: int, size: float | None, longest: int, grown: int = 0) -> Call:
        reply = REWRITE_SHARE * rewritten if rewritten else REPLY_TOKENS
        most = None if size is None else size + grown
        return Call(model, (1 - passing) ** tried, 1, size, reply, longest, not tried, most)

    own = longest_reply(params)
    if node.model:
        yield call(node.model, 0, prompt, own)
    tried = 0
    for place, rung in enumerate(rungs(node)):
        sampling = rung.get("sampling") or {}
        repairs = rung["rung"] == "repair"
        if not repairs:
            sampling = {**(params.get("sampling") or {}), **sampling}
        size = seen.repairs.get(place) if repairs else prompt
        model = node.models.get(f"on_fail.{place}.model", node.model or "")
        for _ in range(rung.get("times", 0)):
            tried += 1
            # A repair shows the reply that failed, which may be as long as replies get.
            yield call(model, tried, size, sampling["max_tokens"], own if repairs else 0)


def _judging(node: PlanNode, seen: NodeFacts, share: float) -> Iterator[Call]:
    """What checks ask: each judges what the ones before it let pass."""
    params = node.definition["params"]
    checks = params.get("checks") or ()
    audit = params.get("mode") == "audit"  # there each check judges whatever the others found
    failing = 1 - share
    most = 1 if audit else most_tries(rungs(node))
    expected = sum(failing**tried for tried in range(most))
    passing = share ** (1 / len(checks)) if checks else 1.0
    # Where rows are judged as they come, the sample has been through the checks that ask nobody.
    before = sum(not c.get("models") for c in checks) if node.model or seen.assumed else 0
    for check in checks:
        for param, asked in sorted((check.get("models") or {}).items()):
            reached = 1.0 if audit else passing**before
            facts = seen.checks.get(f"{check['name']}.{param}")
            known = facts is not None and facts.calls > 0
            calls = facts.calls if facts else 1.0
            longest = asked["sampling"]["max_tokens"]
            size = None
            if facts is not None and known:
                longest, size = facts.reply_tokens / calls, facts.prompt_tokens / calls
            yield Call(
                node.models[f"checks.{check['name']}.{param}"],
                expected * reached * calls,
                most * calls,
                size,
                JUDGED_TOKENS,
                longest,
                longest_prompt=None if size is None else size + longest_reply(params),
            )
        before += bool(check.get("models"))


def longest_text(node: PlanNode) -> float:
    """Tokens that a step may write into a row, by unit."""
    written = [longest_reply(node.definition["params"])] if node.model else [0]
    mended = [rung["sampling"]["max_tokens"] for rung in rungs(node) if rung["rung"] == "repair"]
    return float(max([*written, *mended]))


def longest_reply(params: Mapping[str, Any]) -> int:
    """The longest reply of a step's own model, in tokens; one that rates writes none."""
    sampling = params.get("sampling")
    return int(sampling["max_tokens"]) if sampling else 1
