"""What the runtime measured of data, ledger, earlier runs, models and hardware, for an estimate.

All of it is plain numbers: the compiler opens no data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .numbers import Basis


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """How much there is of a source.

    Attributes:
        rows: Readable rows, of all its files.
        size: Bytes of the text columns of these rows.
        rows_spread: Standard deviation of `rows`, as a share of it; 0 where they were counted.
        size_spread: The same of `size`.
        exact: Whether both were counted.
        files: Files that it has.
        files_read: Files of which something was read.
        sampled: Rows in the sample.
    """

    rows: float
    size: float
    rows_spread: float = 0.0
    size_spread: float = 0.0
    exact: bool = True
    files: int = 1
    files_read: int = 1
    sampled: int = 0


@dataclass(frozen=True, slots=True)
class Moments:
    """What becomes of a row at a step, by a weighted sample of rows.

    A total over `R` rows of `S` bytes is estimated by regression on the size of rows:
    `R * (mean + noise) + slope * (S - R * size)`, where the noise has the covariance `cov`
    (Särndal, Swensson and Wretman 1992, §6: the regression estimator of survey sampling).

    Attributes:
        rows: Sampled rows.
        degrees: Degrees of freedom of `cov`: independent draws (files, row groups or rows, by their
            weights) less one.
        size: Mean bytes of a row's text columns.
        names: Outcomes.
        mean: Of each, by row.
        slope: Of each, by byte of the row's size; 0 where size says nothing.
        cov: Covariance of the means of what size leaves unexplained, without the correction for
            a finite population.
    """

    rows: int
    degrees: float
    size: float
    names: tuple[str, ...]
    mean: tuple[float, ...]
    slope: tuple[float, ...]
    cov: tuple[tuple[float, ...], ...]

    def of(self, name: str) -> float | None:
        """The mean of an outcome; None where it was not seen."""
        return self.mean[self.names.index(name)] if name in self.names else None


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
class NodeFacts:
    """What the sample showed at a step.

    Attributes:
        rows_in: Sampled rows that reached it.
        assumed: Whether these had not really been through an earlier model step, since nobody has
            paid for its replies.
        whole: Whether the sample is all the rows that there are.
        reached: By row that reached it. Steps that ask nobody: `rows_out`, `size_out`, and for a
            part of the mix `tokens_out` (by the mix's tokenizer). Steps that ask: `passed` (1 where
            its `when:` leaves the row as it came), `units` (what a model is asked about once),
            `prompt` (tokens of first attempts), `source` (tokens of the text to be rewritten),
            `tokens_passed` (of a part: tokens of the rows that pass as they came).
        settled: By row whose every call is in the ledger, those that pass as they came left out:
            `units`, `rows_out`, `size_out`, for a part `tokens_out`, and for each model that was
            asked `calls:NAME`, `prompt:NAME`, `reply:NAME`, and where it thinks `hidden:NAME` (of
            the reply tokens, those that the text does not show); `prompt` (tokens of first
            attempts, where all of them were rendered); `truncated` (replies cut off at
            max_tokens).
        settled_rows: Sampled rows whose every call is in the ledger.
        held: Rows of all, sampled or not, whose calls the ledger is taken to hold: those met before
            the first that it does not hold, in the order of the sample, and of the rest the share
            met there.
        longest_prompt: Tokens of the longest first attempt that was rendered.
        overlong: Share of rendered prompts that do not fit the model's context.
        prefix_share: Share of the prompt tokens that a server with a prefix cache has seen before:
            what all prompts of the step begin with.
        strictest: Of a filter that keeps nothing, the clause that fewest rows satisfy.
        repairs: Mean prompt tokens of a repair, by its place in the ladder.
        checks: What checks ask, by check and parameter: `judge.model`.
    """

    rows_in: int = 0
    assumed: bool = False
    whole: bool = False
    reached: Moments | None = None
    settled: Moments | None = None
    settled_rows: int = 0
    held: float = 0.0
    longest_prompt: int = 0
    overlong: float = 0.0
    prefix_share: float = 0.0
    strictest: str = ""
    repairs: Mapping[int, float] = field(default_factory=dict)
    checks: Mapping[str, CheckFacts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prior:
    """What earlier runs showed of a step like this one, over all of them.

    Attributes:
        runs: How many runs.
        rows: Rows of these runs that were settled by new replies.
        calls: Calls by unit, of the step's own model.
        reply: Tokens of a reply.
        reply_ratio: Tokens of replies by tokens of prompts.
        rows_out: Rows out by row in, of those not passed by `when:`.
        spread: Standard deviation of the logarithm of these means from run to run; an assumption
            where there are fewer than three runs.
    """

    runs: int
    rows: int
    calls: float
    reply: float
    reply_ratio: float
    rows_out: float
    spread: float = 0.25


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast one GPU (or this machine, for engine `local`) generates with a model.

    Attributes:
        reply: Reply tokens a second, prompts included in the time unless `prompt` is given.
        prompt: Prompt tokens a second, where both are known apart.
        spread: Standard deviation of the logarithm of the true speed around this: 0.1 where it was
            measured on this machine, 0.5 and more for a roofline.
        basis: `p` pilot, `h` earlier runs, `a` published or roofline.
        origin: In words: `measured in r-0004`, `published for Qwen3-4B on one H100 (FinePhrase)`,
            `roofline of 8.0 GB over 3.35 TB/s`.
    """

    reply: float
    prompt: float | None
    spread: float
    basis: Basis
    origin: str


@dataclass(frozen=True, slots=True)
class Price:
    """What tokens of a model cost: US dollars a token.

    Attributes:
        input: A prompt token.
        output: A reply token.
        cached_input: A prompt token that the server had seen before; None where it costs the same.
        batch: Factor on all of it where requests are sent as a batch job; None where there is none.
        stacks: Whether the batch factor and the cached price go together.
        as_of: Day the price was looked up, `2026-11-01`; empty where nobody says.
        origin: `recipe`, `prices.yaml`, or `price map`.
    """

    input: float
    output: float
    cached_input: float | None = None
    batch: float | None = None
    stacks: bool = False
    as_of: str = ""
    origin: str = "recipe"


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was measured.

    Attributes:
        sources: By source.
        nodes: By step.
        priors: By step, where an earlier run had one like it.
        speeds: By model, for engines that take this project's hardware.
        prices: By model; a model that is not in it costs nothing (`fake`, `local`) or has no known
            price: `unpriced` says which.
        unpriced: Models whose price nobody knows.
        estimated: Models whose tokens are counted by a rule, not by their own tokenizer.
        exact: Whether the sample was all of every source.
        hurried: Sources and steps of which rows were left out, since looking at them took far
            longer than it usually does.
        parameters: How many a model has, by model, where that is known.
    """

    sources: Mapping[str, SourceFacts] = field(default_factory=dict)
    nodes: Mapping[str, NodeFacts] = field(default_factory=dict)
    priors: Mapping[str, Prior] = field(default_factory=dict)
    speeds: Mapping[str, Speed] = field(default_factory=dict)
    prices: Mapping[str, Price] = field(default_factory=dict)
    unpriced: frozenset[str] = frozenset()
    estimated: frozenset[str] = frozenset()
    exact: bool = False
    hurried: frozenset[str] = frozenset()
    parameters: Mapping[str, float] = field(default_factory=dict)
