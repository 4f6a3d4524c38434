"""The calls that one unit of a step asks for, sort by sort: first attempts, rungs, checks.

A unit is what a model is asked about once (a row, a sample of it, a chunk); where a step has no
model of its own, it is a row that is judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cost import NodeFacts
    from .plan import PlanNode

ASSUMED_PASS = 0.5
"""Share of replies that pass the checks, where neither ledger nor a past run says."""
ASSUMED_REPLY = 0.5
"""Share of `max_tokens` that a reply of `generate` takes, likewise."""


@dataclass(frozen=True, slots=True)
class CheckFacts:
    """What a check asks of one model about one row, by the sample, at worst.

    Attributes:
        calls: How many calls.
        prompt_tokens: Of all of them.
        reply_tokens: Of all of them, each at its longest.
    """

    calls: float = 0.0
    prompt_tokens: float = 0.0
    reply_tokens: float = 0.0


@dataclass(frozen=True, slots=True)
class Call:
    """Calls of one sort.

    Attributes:
        model: Who is asked.
        expected: How many a unit is expected to ask for.
        most: How many it may ask for.
        prompt: Tokens of each prompt; None where they are not known.
        reply: Tokens of each reply, as expected.
        longest: Tokens of each reply at most.
        assumed: Whether what is expected rests on an assumption.
    """

    model: str
    expected: float
    most: float
    prompt: float | None
    reply: float
    longest: float
    assumed: bool


def assumed_pass(node: PlanNode) -> float:
    """Share of replies (of rows, where nobody replies) that are taken to pass the checks."""
    return ASSUMED_PASS if node.definition["params"].get("checks") else 1.0


def most_tries(ladder: Sequence[Mapping[str, Any]]) -> int:
    """How often a unit is judged at most: what came first, and what each rung makes of it."""
    return 1 + sum(int(rung.get("times", 0)) for rung in ladder)


def calls_of(node: PlanNode, seen: NodeFacts) -> list[Call]:
    """All calls that a unit may ask for, in order."""
    return [*_attempts(node, seen), *_judging(node, seen)]


def _rungs(node: PlanNode) -> Sequence[Mapping[str, Any]]:
    return node.definition["params"].get("on_fail") or ()


def _attempts(node: PlanNode, seen: NodeFacts) -> Iterator[Call]:
    """The first attempt, and what rungs ask for: each reached by what the ones before failed."""
    params = node.definition["params"]
    failing = 1 - assumed_pass(node)
    prompt = seen.prompt_tokens / seen.calls if seen.calls else None
    if prompt is None and seen.rows_in:
        prompt = 0.0
    rewritten = seen.source_tokens / seen.calls if seen.calls else 0.0

    def call(model: str, tried: int, asked: float | None, longest: int) -> Call:
        size = min(rewritten or longest * ASSUMED_REPLY, longest)
        return Call(model, failing**tried, 1, asked, size, longest, tried > 0)

    if node.model:
        yield call(node.model, 0, prompt, _longest(params))
    tried = 0
    for place, rung in enumerate(_rungs(node)):
        sampling = rung.get("sampling") or {}
        repairs = rung["rung"] == "repair"
        if not repairs:
            sampling = {**(params.get("sampling") or {}), **sampling}
        asked = seen.repairs.get(place) if repairs else prompt
        model = node.models.get(f"on_fail.{place}.model", node.model or "")
        for _ in range(rung.get("times", 0)):
            tried += 1
            yield call(model, tried, asked, sampling["max_tokens"])


def _judging(node: PlanNode, seen: NodeFacts) -> Iterator[Call]:
    """What checks ask: each judges what the ones before it let pass."""
    params = node.definition["params"]
    checks = params.get("checks") or ()
    audit = params.get("mode") == "audit"  # there each check judges whatever the others found
    failing = 1 - assumed_pass(node)
    most = 1 if audit else most_tries(_rungs(node))
    expected = sum(failing**tried for tried in range(most))
    passing = assumed_pass(node) ** (1 / len(checks)) if checks else 1.0
    # Where rows are judged as they come, the sample has been through the checks that ask nobody.
    before = sum(not c.get("models") for c in checks) if node.model or seen.assumed else 0
    for check in checks:
        for param, asked in sorted((check.get("models") or {}).items()):
            share = 1.0 if audit else passing**before
            facts = seen.checks.get(f"{check['name']}.{param}")
            known = facts is not None and facts.calls > 0
            calls = facts.calls if facts else 1.0
            longest = asked["sampling"]["max_tokens"]
            if facts is not None and known:
                longest = facts.reply_tokens / calls
            yield Call(
                node.models[f"checks.{check['name']}.{param}"],
                expected * share * calls,
                most * calls,
                facts.prompt_tokens / calls if facts is not None and known else None,
                longest * ASSUMED_REPLY,
                longest,
                most > 1 or share < 1 or calls > 1 or not known,
            )
        before += bool(check.get("models"))


def _longest(params: Mapping[str, Any]) -> int:
    """The longest reply of a step's own model, in tokens; one that rates writes none."""
    sampling = params.get("sampling")
    return int(sampling["max_tokens"]) if sampling else 1
