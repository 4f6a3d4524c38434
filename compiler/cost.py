"""What a plan will cost: facts that the runtime measured, carried through the graph.

The compiler opens no data; `Facts` hands it what a sample, the ledger and past runs say. Each
number comes out with a letter for where it came from; an unknown one is None and prints as `?`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from .plan import Plan, PlanNode
from .shares import settle_shares

Basis = Literal["e", "s", "l", "h", "a", "?"]
BASES: Mapping[str, str] = {
    "e": "exact",
    "s": "sampled",
    "l": "ledger",
    "h": "last run",
    "a": "assumed",
    "?": "unknown",
}
ASSUMED_PASS = 0.5
"""Share of replies that pass the checks, where neither ledger nor a past run says."""
ASSUMED_REPLY = 0.5
"""Share of `max_tokens` that a reply of `generate` takes, likewise."""


def weakest(*bases: Basis) -> Basis:
    """The weakest of several bases."""
    return _STRENGTHS[max(map(_STRENGTHS.index, bases))]


_STRENGTHS: tuple[Basis, ...] = ("e", "l", "s", "h", "a", "?")


@dataclass(frozen=True, slots=True)
class Number:
    """A number and where it came from: the weakest of what it was made of."""

    value: float | None
    basis: Basis

    def times(self, factor: float | None, basis: Basis) -> Number:
        """The number times a factor of its own basis."""
        if self.value is None or factor is None:
            return UNKNOWN
        return Number(self.value * factor, weakest(self.basis, basis))


UNKNOWN = Number(None, "?")


def total(numbers: Sequence[Number]) -> Number:
    """The sum; unknown if any of them is."""
    if any(n.value is None for n in numbers):
        return UNKNOWN
    bases: list[Basis] = ["e", *(n.basis for n in numbers)]
    return Number(sum(n.value or 0.0 for n in numbers), weakest(*bases))


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """Rows of a source; exact if all of it was read."""

    rows: float
    exact: bool


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What the sample showed at a step.

    Attributes:
        rows_in: Sampled rows that reached it.
        passed: Of these, those that pass as they came, since its `when:` leaves them out; they are
            not among `rows_out`.
        rows_out: Of these, those that went on; for model steps, of the settled ones.
        assumed: Whether the rows had not really been through an earlier model step.
        calls: First attempts that the rows ask for.
        prompt_tokens: Of these, by tokenizer and chat template.
        source_tokens: Tokens of the text in them that is to be rewritten.
        settled_rows: Rows whose every call is in the ledger.
        settled_units: Units of those rows.
        settled_calls: Calls of those rows.
        settled_prompt: Prompt tokens of those calls.
        settled_reply: Reply tokens of those calls.
        text_tokens: Tokens of `text` of the rows that went on, by the mix's tokenizer.
        strictest: Of a filter that keeps nothing, the clause that fewest rows satisfy.
    """

    rows_in: int = 0
    rows_out: int = 0
    assumed: bool = False
    passed: int = 0
    calls: int = 0
    prompt_tokens: int = 0
    source_tokens: int = 0
    settled_rows: int = 0
    settled_units: int = 0
    settled_calls: int = 0
    settled_prompt: int = 0
    settled_reply: int = 0
    text_tokens: int = 0
    strictest: str = ""


@dataclass(frozen=True, slots=True)
class Past:
    """What the last run of a step with the same rule showed."""

    attempts_per_unit: float
    reply_tokens: float
    yield_: float
    tokens_per_second: float | None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was measured. `exact` says that the sample was the whole."""

    sources: Mapping[str, SourceFacts] = field(default_factory=dict)
    nodes: Mapping[str, NodeFacts] = field(default_factory=dict)
    past: Mapping[str, Past] = field(default_factory=dict)
    exact: bool = False
    exact_tokens: bool = True


@dataclass(frozen=True, slots=True)
class StepEstimate:
    """What a step is expected to do, and at worst. Calls and tokens: those still to be paid for."""

    rows_in: Number
    rows_out: Number
    calls: Number | None = None
    prompt_tokens: Number | None = None
    reply_tokens: Number | None = None
    seconds: Number | None = None
    worst_calls: Number | None = None
    worst_prompt: Number | None = None
    worst_reply: Number | None = None
    reused: float = 0.0
    """Share of its calls that the ledger holds already."""


@dataclass(frozen=True, slots=True)
class Estimates:
    """Estimates by step, and of the mix: tokens by part."""

    steps: Mapping[str, StepEstimate]
    supply: Mapping[str, Number]
    taken: Mapping[str, float]
    human_share: float | None

    def to_json(self) -> dict[str, Any]:
        """For the run record."""
        return asdict(self)


def estimate(plan: Plan, facts: Facts) -> Estimates:
    """Carry the facts through the graph."""
    steps: dict[str, StepEstimate] = {}
    for node in plan.nodes:
        steps[node.name] = _step(node, steps, facts)
    supply = {
        ".".join(filter(None, (name, port))): UNKNOWN if port else _tokens_out(name, steps, facts)
        for name, port in plan.outputs
    }
    origin = {n.name: n.origin for n in plan.nodes}
    taken, human = _mix(plan, supply, origin)
    return Estimates(steps, supply, taken, human)


def _step(node: PlanNode, steps: Mapping[str, StepEstimate], facts: Facts) -> StepEstimate:
    seen = facts.nodes.get(node.name, NodeFacts())
    base: Basis = "a" if seen.assumed else "e" if facts.exact else "s"
    if node.stage == "scan":
        source = facts.sources.get(node.name)
        rows = Number(source.rows, "e" if source.exact else "s") if source else UNKNOWN
        return StepEstimate(rows, rows)
    # How many rows leave aside is not carried: it comes out of the difference of two estimates.
    rows_in = total([UNKNOWN if port else steps[name].rows_out for name, port in node.inputs])
    limit = node.most_rows
    if limit is not None and rows_in.value is not None and rows_in.value >= limit:
        rows_in = Number(float(limit), "e" if rows_in.basis in "es" else rows_in.basis)
    if node.stage == "generate":
        return _model_step(node, rows_in, seen, facts, base)
    if seen.rows_in:
        return StepEstimate(rows_in, rows_in.times(seen.rows_out / seen.rows_in, base))
    return StepEstimate(rows_in, UNKNOWN if node.drops else rows_in)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One attempt of a ladder: the share of units that reach it, and its longest reply."""

    reached: float
    max_tokens: int


def _attempts(node: PlanNode) -> list[_Attempt]:
    """Attempts of a unit in order, each reached by what the ones before it did not pass."""
    params = node.definition["params"]
    limits = [params["sampling"]["max_tokens"]]
    for rung in params.get("on_fail") or ():
        if rung["rung"] == "retry":
            own = {**params["sampling"], **rung["sampling"]}
            limits += [own["max_tokens"]] * rung["times"]
    failing = 1 - _assumed_pass(node)
    return [_Attempt(failing**k, limit) for k, limit in enumerate(limits)]


def _assumed_pass(node: PlanNode) -> float:
    return ASSUMED_PASS if node.definition["params"].get("checks") else 1.0


def _model_step(
    node: PlanNode, rows_in: Number, seen: NodeFacts, facts: Facts, base: Basis
) -> StepEstimate:
    attempts = _attempts(node)
    past = facts.past.get(node.name)
    per_row = seen.calls / seen.rows_in if seen.rows_in else None
    prompt = seen.prompt_tokens / seen.calls if seen.calls else (0.0 if per_row == 0 else None)
    token_basis: Basis = weakest(base, "e" if facts.exact_tokens else "a")
    if seen.settled_units:
        tries = Number(seen.settled_calls / seen.settled_units, "l")
        replied = Number(seen.settled_reply / seen.settled_units, "l")
    elif past:
        tries = Number(past.attempts_per_unit, "h")
        replied = Number(past.attempts_per_unit * past.reply_tokens, "h")
    else:
        rewritten = seen.source_tokens / seen.calls if seen.calls else 0.0
        sizes = [min(rewritten or a.max_tokens * ASSUMED_REPLY, a.max_tokens) for a in attempts]
        expected = sum(a.reached for a in attempts)
        tries = Number(expected, "a" if len(attempts) > 1 else "e")
        replied = Number(sum(a.reached * s for a, s in zip(attempts, sizes, strict=True)), "a")
    applied = seen.rows_in - seen.passed
    reused = seen.settled_rows / applied if applied else 0.0
    units = rows_in.times(per_row, base).times(1.0 - reused, base)
    calls = units.times(tries.value, tries.basis)
    worst = units.times(len(attempts), "e")
    reply = units.times(replied.value, replied.basis)
    speed = past.tokens_per_second if past else None
    return StepEstimate(
        rows_in=rows_in,
        rows_out=_rows_out(node, rows_in, seen, past, facts.exact),
        calls=calls,
        prompt_tokens=calls.times(prompt, token_basis),
        reply_tokens=reply,
        seconds=reply.times(1 / speed, "h") if speed else UNKNOWN,
        worst_calls=worst,
        worst_prompt=worst.times(prompt, token_basis),
        worst_reply=units.times(sum(a.max_tokens for a in attempts), "e"),
        reused=reused,
    )


def _rows_out(
    node: PlanNode, rows_in: Number, seen: NodeFacts, past: Past | None, exact: bool
) -> Number:
    if past and not seen.settled_rows and node.drops:
        return rows_in.times(past.yield_, "h")
    rest = seen.passed / seen.rows_in if seen.rows_in else 0.0
    basis: Basis = "e" if not rest else "a" if seen.assumed else "e" if exact else "s"
    samples = int(node.definition["params"].get("samples") or 1)
    if not node.drops:
        made = Number(float(samples), "e")
    elif seen.settled_rows:
        made = Number(seen.rows_out / seen.settled_rows, "l")
    else:
        accepted = 1 - (1 - _assumed_pass(node)) ** len(_attempts(node))
        made = Number(samples * accepted, "a")
    return rows_in.times(rest + (1 - rest) * (made.value or 0.0), weakest(made.basis, basis))


def _tokens_out(name: str, steps: Mapping[str, StepEstimate], facts: Facts) -> Number:
    seen = facts.nodes.get(name)
    if seen is None or name not in steps:
        return UNKNOWN
    if seen.source_tokens and not seen.settled_rows:  # a rewrite is taken to be as long as its text
        return steps[name].rows_out.times(seen.source_tokens / (seen.rows_in - seen.passed), "a")
    if not seen.rows_out:
        return UNKNOWN
    basis: Basis = "a" if seen.assumed else "e" if facts.exact else "s"
    return steps[name].rows_out.times(seen.text_tokens / seen.rows_out, basis)


def _mix(
    plan: Plan, supply: Mapping[str, Number], origin: Mapping[str, str]
) -> tuple[dict[str, float], float | None]:
    if plan.mix is None or any(n.value is None for n in supply.values()):
        return {}, None
    human = {name: origin[name.partition(".")[0]] == "human" for name in supply}
    shares = settle_shares(plan.mix, {n: s.value or 0.0 for n, s in supply.items()}, human)
    of_people = sum(t for n, t in shares.targets.items() if human[n])
    return dict(shares.targets), of_people / shares.total if shares.total else None
