"""What a plan is estimated to do and cost, step by step and in all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .facts import Price, SourceFacts, Speed
from .numbers import NOTHING, Number


@dataclass(frozen=True, slots=True)
class Spending:
    """What is still to be paid for: as expected, and at worst.

    Hours are GPU-hours of this project's hardware; hours of the machine for engine `local`.
    """

    calls: Number = NOTHING
    prompt_tokens: Number = NOTHING
    reply_tokens: Number = NOTHING
    usd: Number = NOTHING
    gpu_hours: Number = NOTHING
    worst_calls: Number = NOTHING
    worst_prompt: Number = NOTHING
    worst_reply: Number = NOTHING
    worst_usd: Number = NOTHING
    worst_hours: Number = NOTHING


@dataclass(frozen=True, slots=True)
class StepEstimate:
    """What a step is expected to do.

    Attributes:
        rows_in: Rows that reach it.
        rows_out: Rows that go on.
        spending: What it is still to pay for; None for a step that asks no model.
        by_model: The same by model.
        reused: Share of its rows that the ledger answers already.
        sampled: Sampled rows that reached it.
        piloted: Of these, those whose replies are in the ledger.
        truncated: Share of replies in the ledger that hit max_tokens; None where there are none.
        overlong: Share of prompts that do not fit the model.
        prefix_share: Share of prompt tokens that a prefix cache spares.
        hidden: By model that thinks before it replies, the share of its reply tokens in the ledger
            that no text shows.
    """

    rows_in: Number
    rows_out: Number
    spending: Spending | None = None
    by_model: Mapping[str, Spending] = field(default_factory=dict)
    reused: float = 0.0
    sampled: int = 0
    piloted: int = 0
    truncated: float | None = None
    overlong: float = 0.0
    prefix_share: float = 0.0
    hidden: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Leverage:
    """The largest uncertainty, and what would narrow it most.

    Attributes:
        step: Where it is: a step, a source, or a model.
        what: `yield`, `calls`, `reply tokens`, `prompt tokens`, `speed`, `rows` or `price`.
        basis: Where its number came from.
        quantity: What it makes uncertain: `usd`, `gpu_hours`, `reply_tokens` or `calls`.
        share: Of the variance of that quantity, how much is its.
        action: What to type; `mashbill plan --pilot 256`.
        narrowed: The quantity, with the interval that is expected after it.
    """

    step: str
    what: str
    basis: str
    quantity: str
    share: float
    action: str
    narrowed: Number | None = None


@dataclass(frozen=True, slots=True)
class Estimates:
    """All estimates of a plan.

    Attributes:
        steps: By step.
        total: Of all steps, with intervals of the sums; None where no step asks a model.
        supply: Tokens that each part of the mix can give, by the mix's tokenizer.
        taken: Tokens that the mix takes of each part, epochs included.
        human_share: Share of these that people wrote; None without a mix.
        epochs: How often each part is repeated at most, from supply and taken.
        sources: What was seen of each source.
        speeds: By model.
        prices: By model.
        unpriced: Models whose price nobody knows.
        leverage: None where nothing is uncertain.
        hurried: Sources and steps of which rows were left out, since looking at them took too long:
            on another machine, or a quieter one, the estimates may differ.
    """

    steps: Mapping[str, StepEstimate]
    total: Spending | None = None
    supply: Mapping[str, Number] = field(default_factory=dict)
    taken: Mapping[str, float] = field(default_factory=dict)
    human_share: Number | None = None
    epochs: Mapping[str, Number] = field(default_factory=dict)
    sources: Mapping[str, SourceFacts] = field(default_factory=dict)
    speeds: Mapping[str, Speed] = field(default_factory=dict)
    prices: Mapping[str, Price] = field(default_factory=dict)
    unpriced: frozenset[str] = frozenset()
    leverage: Leverage | None = None
    hurried: frozenset[str] = frozenset()

    def to_json(self) -> dict[str, Any]:
        """For the run record, the saved plan and `plan --format json`."""
        sets = {"unpriced": sorted(self.unpriced), "hurried": sorted(self.hurried)}
        return {**asdict(self), **sets}
