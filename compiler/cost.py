"""What a plan will cost: facts that the runtime measured, carried through the graph.

The compiler opens no data; `Facts` hands it what a sample, the ledger and past runs say. Each
number comes out with a letter for where it came from; an unknown one is None and prints as `?`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from .draw_costs import chosen, drawing, drawn_share, let_in, made_share
from .plan import Plan, PlanNode
from .pricing import ASSUMED_PASS as ASSUMED_PASS
from .pricing import ASSUMED_REPLY as ASSUMED_REPLY
from .pricing import Call, CheckFacts, assumed_pass, calls_of, most_tries
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
        settled: Calls, prompt tokens and reply tokens of settled rows by model, where the step asks
            several.
        free: Settled rows that ask for no call, since a check that asks nobody refuses them: of
            steps without a model of their own.
        repairs: Prompt tokens of a repair, by its place in the ladder.
        checks: What checks ask, by check and parameter: `judge.model`.
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
    settled: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    free: int = 0
    repairs: Mapping[int, float] = field(default_factory=dict)
    checks: Mapping[str, CheckFacts] = field(default_factory=dict)


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
class Spending:
    """Calls and tokens still to be paid for: as expected, and at worst."""

    calls: Number
    prompt_tokens: Number
    reply_tokens: Number
    worst_calls: Number
    worst_prompt: Number
    worst_reply: Number


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
    by_model: Mapping[str, Spending] = field(default_factory=dict)
    """The same by model, of a step that asks other models than its own."""


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
        made = _step(node, steps, facts)
        steps[node.name] = _chosen(node, made, plan, steps, facts)
    supply = {
        ".".join(filter(None, (name, port))): UNKNOWN
        if port or _unwritten(name, plan, facts)
        else _tokens_out(name, steps, facts)
        for name, port in plan.outputs
    }
    taken, human = _mix(plan, supply)
    return Estimates(steps, supply, taken, human)


def _unwritten(part: str, plan: Plan, facts: Facts) -> bool:
    """Whether a part's template prints what no model has written yet."""
    seen = facts.nodes.get(part)
    return bool(seen and seen.assumed and plan.renders.get(part, {}).get("modelled"))


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
    if node.asked:
        return _model_step(node, rows_in, seen, facts, base)
    if seen.rows_in:
        return StepEstimate(rows_in, rows_in.times(seen.rows_out / seen.rows_in, base))
    return StepEstimate(rows_in, UNKNOWN if node.drops else rows_in)


def _chosen(
    node: PlanNode,
    made: StepEstimate,
    plan: Plan,
    steps: Mapping[str, StepEstimate],
    facts: Facts,
) -> StepEstimate:
    """What is left where a step chooses among draws that nobody has made yet."""
    seen = facts.nodes.get(node.name)
    rows = made.rows_in.value
    if node.stage != "gather" or rows is None or (seen and seen.rows_in and not seen.assumed):
        return made
    groups = min((steps[name].rows_in.value or rows for name in drawing(node, plan)), default=rows)
    left = Number(chosen(node.definition["params"], rows, groups), "a")
    return replace(made, rows_out=left)


def _drawn_share(node: PlanNode, rows_in: Number, seen: NodeFacts) -> Number:
    """Share of the draws of all rows that are made."""
    params = node.definition["params"]
    until, share = node.tuning.until or params.get("until"), _let_in(node, rows_in)
    if until is not None:
        samples = int(params["samples"])
        if seen.settled_rows:
            share = share.times(seen.settled_units / seen.settled_rows / samples, "l")
        else:
            accepted = 1 - (1 - assumed_pass(node)) ** most_tries(
                node.definition["params"].get("on_fail") or ()
            )
            share = share.times(drawn_share(until, samples, accepted), "a")
    return share


def _let_in(node: PlanNode, rows_in: Number) -> Number:
    """Share of the rows before a step that are let in until enough have been accepted."""
    if node.tuning.fed is None:
        return Number(1.0, "e")
    _, wanted, candidates = node.tuning.fed
    return Number(let_in(wanted, candidates, rows_in.value or 0.0, ASSUMED_PASS), "a")


def _fed(node: PlanNode, rows_in: Number, rows_out: Number) -> Number:
    share = _let_in(node, rows_in)
    return rows_out if node.tuning.fed is None else rows_out.times(share.value, share.basis)


def _drawn(spending: Spending, share: Number) -> Spending:
    """What is expected of a step that may not make all its draws."""
    if share.value == 1.0:
        return spending
    names = ("calls", "prompt_tokens", "reply_tokens")
    fewer = {n: getattr(spending, n).times(share.value, share.basis) for n in names}
    return replace(spending, **fewer)


def _model_step(
    node: PlanNode, rows_in: Number, seen: NodeFacts, facts: Facts, base: Basis
) -> StepEstimate:
    past = facts.past.get(node.name)
    applied = seen.rows_in - seen.passed - seen.free
    reused = (seen.settled_rows - seen.free) / applied if applied else 0.0
    units = rows_in.times(_units_a_row(node, seen), base).times(1.0 - reused, base)
    counted: Basis = "e" if facts.exact_tokens else "a"
    calls = calls_of(node, seen)
    by_model = {
        model: _drawn(
            _spending(
                units,
                [c for c in calls if c.model == model],
                *_shown(node, seen, past, model),
                weakest(base, counted),
            ),
            _drawn_share(node, rows_in, seen),
        )
        for model in node.asked
    }
    whole = _whole(list(by_model.values()))
    speed = past.tokens_per_second if past else None
    own = by_model[node.model].reply_tokens if node.model else UNKNOWN
    return StepEstimate(
        rows_in=rows_in,
        rows_out=_fed(node, rows_in, _rows_out(node, rows_in, seen, past, facts.exact)),
        calls=whole.calls,
        prompt_tokens=whole.prompt_tokens,
        reply_tokens=whole.reply_tokens,
        seconds=own.times(1 / speed, "h") if speed else UNKNOWN,
        worst_calls=whole.worst_calls,
        worst_prompt=whole.worst_prompt,
        worst_reply=whole.worst_reply,
        reused=reused,
        by_model=by_model if node.models else {},
    )


def _units_a_row(node: PlanNode, seen: NodeFacts) -> float | None:
    if not seen.rows_in:
        return None
    if node.model:
        return seen.calls / seen.rows_in
    judged = (seen.rows_in - seen.passed - seen.free) / seen.rows_in
    share = node.definition["params"].get("sample")
    return judged * (share if share is not None and seen.assumed else 1.0)


def _shown(
    node: PlanNode, seen: NodeFacts, past: Past | None, model: str
) -> tuple[Number | None, Number | None]:
    """Calls and reply tokens of a unit, by what the ledger holds or the last run did."""
    units = seen.settled_units
    if units:
        only = {node.model or "": (seen.settled_calls, seen.settled_prompt, seen.settled_reply)}
        asked, _, replied = (seen.settled or only).get(model, (0, 0, 0))
        return Number(asked / units, "l"), Number(replied / units, "l")
    if past and node.asked == (node.model,):
        tries = past.attempts_per_unit
        return Number(tries, "h"), Number(tries * past.reply_tokens, "h")
    return None, None


def _spending(
    units: Number,
    calls: Sequence[Call],
    tries: Number | None,
    replied: Number | None,
    counted: Basis,
) -> Spending:
    """What units cost at one model.

    Args:
        units: How many there are to pay for.
        calls: What each asks for.
        tries: What it really asks for, if that is known.
        replied: Tokens of the replies, likewise.
        counted: How sure the tokens of prompts are.
    """
    expected, most = sum(c.expected for c in calls), sum(c.most for c in calls)
    basis: Basis = "a" if any(c.assumed for c in calls) else "e"
    tries = tries or Number(expected, basis)
    replied = replied or Number(sum(c.expected * c.reply for c in calls), "a")
    prompt = _mean([(c.expected, c.prompt) for c in calls])
    longest = _mean([(c.most, c.prompt) for c in calls])
    asked, worst = units.times(tries.value, tries.basis), units.times(most, "e")
    return Spending(
        calls=asked,
        prompt_tokens=asked.times(prompt, counted),
        reply_tokens=units.times(replied.value, replied.basis),
        worst_calls=worst,
        worst_prompt=worst.times(longest, counted),
        worst_reply=units.times(sum(c.most * c.longest for c in calls), "e"),
    )


def _mean(weighed: Sequence[tuple[float, float | None]]) -> float | None:
    """The mean of numbers by their weights; None where one of them is not known."""
    known = [(weight, number) for weight, number in weighed if number is not None]
    if len(known) < len(weighed):
        return None
    if len({number for _, number in known}) == 1:  # rounding would change it
        return known[0][1]
    whole = sum(weight for weight, _ in known)
    return sum(weight * number for weight, number in known) / whole if whole else 0.0


def _whole(parts: Sequence[Spending]) -> Spending:
    """What several models cost together."""
    if len(parts) == 1:
        return parts[0]
    return Spending(*(total([getattr(p, f.name) for p in parts]) for f in fields(Spending)))


def _rows_out(
    node: PlanNode, rows_in: Number, seen: NodeFacts, past: Past | None, exact: bool
) -> Number:
    if past and not seen.settled_rows and node.drops:
        return rows_in.times(past.yield_, "h")
    rest = seen.passed / seen.rows_in if seen.rows_in else 0.0
    basis: Basis = "e" if not rest else "a" if seen.assumed else "e" if exact else "s"
    samples = int(node.definition["params"].get("samples") or 1)
    free = seen.free / (seen.rows_in - seen.passed) if seen.free else 0.0
    if not node.drops or node.definition["params"].get("mode") == "audit":
        made, free = Number(float(samples), "e"), 0.0
    elif seen.settled_rows > seen.free:
        made = Number(seen.rows_out / (seen.settled_rows - seen.free), "l")
    else:
        accepted = 1 - (1 - assumed_pass(node)) ** most_tries(
            node.definition["params"].get("on_fail") or ()
        )
        until = node.tuning.until or node.definition["params"].get("until")
        made = Number(samples * made_share(until, samples, accepted), "a")
    made = made.times(1 - free, basis) if free else made
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


def _mix(plan: Plan, supply: Mapping[str, Number]) -> tuple[dict[str, float], float | None]:
    if plan.mix is None or any(n.value is None for n in supply.values()):
        return {}, None
    human = {name: plan.origin_of(name) == "human" for name in supply}
    shares = settle_shares(plan.mix, {n: s.value or 0.0 for n, s in supply.items()}, human)
    of_people = sum(t for n, t in shares.targets.items() if human[n])
    return dict(shares.targets), of_people / shares.total if shares.total else None
