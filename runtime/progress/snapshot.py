"""Where a run stands, as plain data: the live table, the events and `status` are made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ...compiler.estimating.numbers import Number


@dataclass(frozen=True, slots=True)
class StepView:
    """A step so far.

    Attributes:
        name: The step, or a source.
        rows_in: Rows that it has done with.
        rows_out: Rows that went on.
        total: Rows that are expected to come in; None if nobody knows.
        exact: Whether `total` is known, and not estimated.
        rejected: Rejected rows by reason.
        errors: Rows that ended in errors, by kind.
        routed: Rows that left by `.routed`.
        units: Chunks or samples by how they ended.
        failures: Refused replies by reason.
        attempts: Replies, whether paid for or from the ledger.
        rate: Rows a second, of late.
        ended: Whether it is done.
    """

    name: str
    rows_in: int
    rows_out: int
    total: float | None = None
    exact: bool = False
    rejected: Mapping[str, int] = field(default_factory=dict)
    errors: Mapping[str, int] = field(default_factory=dict)
    routed: int = 0
    units: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)
    attempts: int = 0
    rate: float = 0.0
    ended: bool = False

    @property
    def share(self) -> float | None:
        """The share that is done; None where the total is unknown or was too low."""
        if self.ended:
            return 1.0
        if not self.total or self.rows_in > self.total:
            return None
        return self.rows_in / self.total if self.exact else min(self.rows_in / self.total, 0.99)

    @classmethod
    def of(cls, name: str, account: Mapping[str, Any], **known: Any) -> StepView:
        """A step from its account, as the run record holds it; rows over its limit left out."""
        rejected = dict(account["rejected"])
        over = rejected.pop("limit", 0)
        return cls(
            name,
            account["in"] - over,
            account["out"],
            rejected=rejected,
            errors=account["errors"],
            routed=account["routed"],
            units=account["units"],
            failures=account["failures"],
            attempts=account["attempts"],
            **known,
        )


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model so far: its calls, tokens, and what its engine has to say.

    Attributes:
        name: The recipe's name for it.
        sent: Calls that were sent, tries that failed among them.
        reused: Calls that the ledger answered.
        shared: Calls that waited for an equal one.
        retried: Calls that were sent again.
        in_flight: Calls that wait for a reply.
        waiting: Calls that wait for their turn.
        prompt_tokens: Paid for in this run.
        completion_tokens: Likewise.
        usd: What they cost; None without a price.
        note: How its engine goes, in a few words.
    """

    name: str
    sent: int = 0
    reused: int = 0
    shared: int = 0
    retried: int = 0
    in_flight: int = 0
    waiting: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the whole run will have spent, as it looks now; None for what cannot be said.

    Attributes:
        calls: Calls that are paid for.
        tokens: Reply tokens.
        planned: Reply tokens that `plan` expected.
        usd: Money, where every model has a price.
        seconds: Time that is left.
        whole: By quantity (`planned.QUANTITIES`), with its 90 % interval.
        steps: The same by step.
    """

    calls: float | None = None
    tokens: float | None = None
    planned: float | None = None
    usd: float | None = None
    seconds: float | None = None
    whole: Mapping[str, Number] = field(default_factory=dict)
    steps: Mapping[str, Mapping[str, Number]] = field(default_factory=dict)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Forecast:
        """Read one; those of before had no intervals."""
        whole = {q: Number(**n) for q, n in value.get("whole", {}).items()}
        steps = {
            name: {q: Number(**n) for q, n in found.items()}
            for name, found in value.get("steps", {}).items()
        }
        return cls(**{**value, "whole": whole, "steps": steps})


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A run at one moment.

    Attributes:
        run: Its id.
        recipe: The recipe's name.
        time: When, in seconds since 1970.
        seconds: Since it began.
        passes: How often ladders are gone down; more than 1 after `run --retry rejected`.
        steps: In the order of the plan.
        models: Those that were asked.
        tokens_per_second: Reply tokens, of late.
        calls_per_second: Likewise.
        forecast: What it will come to.
        budget: The cap that is used most, in words.
        alarms: Quantities that leave the plan's interval, each in a sentence.
    """

    run: str
    recipe: str
    time: float
    seconds: float
    passes: int = 1
    steps: tuple[StepView, ...] = ()
    models: tuple[ModelView, ...] = ()
    tokens_per_second: float = 0.0
    calls_per_second: float = 0.0
    forecast: Forecast = Forecast()
    budget: str = ""
    alarms: tuple[str, ...] = ()

    @property
    def spent(self) -> float | None:
        """Money so far; None unless every model has a price."""
        prices = [m.usd for m in self.models]
        return sum(p for p in prices if p is not None) if prices and None not in prices else None

    def total(self, name: str) -> int:
        """A count of all models together, such as `sent`."""
        return sum(getattr(m, name) for m in self.models)

    def to_json(self) -> dict[str, Any]:
        """As `progress.json` and the events hold it."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Snapshot:
        """Read one. Raises `TypeError` or `KeyError` for what is none."""
        return cls(
            **{
                **value,
                "steps": tuple(StepView(**s) for s in value["steps"]),
                "models": tuple(ModelView(**m) for m in value["models"]),
                "forecast": Forecast.from_json(value["forecast"]),
                "alarms": tuple(value.get("alarms", ())),
            }
        )
